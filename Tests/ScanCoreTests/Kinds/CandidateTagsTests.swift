import Testing

@testable import ScanCore

/// The search in words of four finds what a search in an array finds.
struct CandidateTagsTests {
    @Test func whatIsPutInIsFound() {
        var random = SplitMix(seed: Seed.value &+ 515)
        // Neighbours that differ in one bit, and the ends of what a tag can be.
        let choices: [UInt16] = [0, 1, 2, 3, 0x3fff, 0x4000, 0x4001, 0x7ffe, 0x7fff]
        var tags = CandidateTags()
        var model = [UInt16](repeating: 0, count: 8)
        for step in 0..<20_000 {
            let way = Int(random.next() % 8)
            model[way] = random.next() % 2 == 0 ? choices[Int(random.next() % 9)] : UInt16(random.next() & 0x7fff)
            tags[way] = model[way]
            #expect((0..<8).allSatisfy { tags[$0] == model[$0] }, "SCANLOGD_TEST_SEED=\(Seed.value), step \(step)")
            for tag in choices + model {
                let expected = (0..<8).reduce(0 as UInt32) { model[$1] == tag ? $0 | 1 << UInt32($1) : $0 }
                let (found, contains) = (tags.ways(with: tag), tags.contains(tag))
                #expect(found == expected, "SCANLOGD_TEST_SEED=\(Seed.value), step \(step)")
                #expect(contains == (expected != 0), "SCANLOGD_TEST_SEED=\(Seed.value), step \(step)")
            }
        }
    }

    @Test func oneIsEqualToItselfOnly() {
        var tags = CandidateTags()
        #expect(tags == CandidateTags())
        for way in 0..<8 {
            tags[way] = 0x4001
            #expect(tags != CandidateTags())
            tags[way] = 0
        }
        #expect(tags == CandidateTags())
    }
}
