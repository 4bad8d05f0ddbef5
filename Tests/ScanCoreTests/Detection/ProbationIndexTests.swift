import Testing

@testable import ScanCore

/// The index of the records.
struct ProbationIndexTests {
    @Test func aLineIsAsLongAsACacheLine() {
        #expect(MemoryLayout<ProbationIndex>.size == 64 && MemoryLayout<ProbationIndex>.stride == 64)
    }

    @Test func aFingerprintIsFoundInEverySlot() {
        for place in 0..<16 {
            var line = ProbationIndex()
            line.insert(ProbationIndex.slot(number: 0xfffff, fingerprint: 0xabc))
            for _ in 0..<place { line.insert(0) }
            #expect(line.slots(with: 0xabc) == 1 << UInt32(place) && line.slots(with: 0) == 0xffff ^ 1 << UInt32(place))
            #expect(line.slots(with: 0xabd) == 0 && line.slots(with: 0x2bc) == 0 && line.slots(with: 0xfff) == 0)
        }
    }

    @Test func theYoungestStandsFirstAndTheOldestIsLost() {
        var line = ProbationIndex()
        for number in UInt32(1)...17 { line.insert(number) }
        #expect((0..<16).map { line[$0] } == (2...17).reversed())
    }

    @Test func whatIsTakenOutMakesTheRoomThatTheNextNeeds() {
        for place in 0..<16 {
            var line = ProbationIndex()
            for number in UInt32(1)...16 { line.insert(number) }
            let rest = (UInt32(1)...16).reversed().filter { $0 != UInt32(16 - place) }
            line.remove(place, last: 77)
            #expect((0..<16).map { line[$0] } == rest + [77])
            line.insert(99)
            #expect((0..<16).map { line[$0] } == [99] + rest)
        }
    }

    @Test func theAgeIsKnownAcrossTheEndOfTheNumbers() {
        let end = UInt32(1) << 20
        for newest in [UInt32(5), end - 1, end, end + 3] {
            for age in [UInt32(0), 1, 4] {
                let slot = ProbationIndex.slot(number: newest - age, fingerprint: 0xfff)
                #expect(ProbationIndex.age(of: slot, newest: newest) == Int(age))
            }
        }
        #expect(ProbationIndex.age(of: 0, newest: 0) == 0)
        #expect(ProbationIndex.age(of: ProbationIndex.slot(number: 1, fingerprint: 0), newest: 0) == Int(end) - 1)
    }
}
