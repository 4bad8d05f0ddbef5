import Testing

@testable import ScanCore

/// The record of a source's one packet: what it becomes is what an entry made at once would have been.
struct ProbationRecordTests {
    private let ipv4 = segment(to: 22, .fin, sourcePort: 65535, typeOfService: 0xb8, timeToLive: 255)

    @Test func aRecordTakes52Bytes() {
        #expect(MemoryLayout<ProbationRecord>.stride == 52)
    }

    @Test func theRecordOfNobodyIsUnused() {
        #expect(!ProbationRecord().isUsed)
        #expect(ProbationRecord(ipv4, at: Timestamp(nanoseconds: 0), realTime: 0).isUsed)
    }

    @Test(arguments: [
        ("10.77.0.1", "10.77.0.2"), ("fd77::1", "fd77::2"), ("255.255.255.255", "::"), ("::a4d:1", "0.0.0.0"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
    ])
    func theEntryIsThatOfThePacket(source: String, destination: String) {
        for time in [Int64.min, -1, 0, 1, .max] {
            let first = segment(
                to: 65_534, .syn.union(.cwr), from: address(source), destination: address(destination),
                sourcePort: 0x1234, typeOfService: 0x56, timeToLive: 0x78)
            let now = Timestamp(nanoseconds: time)
            let record = ProbationRecord(first, at: now, realTime: .seconds(1_795_252_625))
            let entry = record.entry(at: now, realTime: .seconds(1_795_252_625))
            let expected = SourceEntry(first: first, at: now, realTime: .seconds(1_795_252_625))
            #expect(isSame(entry, expected))
            #expect(record.source == first.source && record.isOf(first.source))
            #expect(record.time == now)
        }
    }

    @Test func aRecordIsOfItsSourceOnly() {
        let record = ProbationRecord(ipv4, at: Timestamp(nanoseconds: 0), realTime: 0)
        for other in ["10.77.0.3", "::a4d:1", "::ffff:10.77.0.1", "1::a4d:1", "0.0.0.0"]
        where other != "::ffff:10.77.0.1" {
            #expect(!record.isOf(address(other)))
        }
    }

    private func startTime(of start: Int64, after elapsed: Int64, setBy change: Int64 = 0) -> Int64 {
        let record = ProbationRecord(ipv4, at: Timestamp(nanoseconds: 70), realTime: start)
        let now = Timestamp(nanoseconds: 70 + elapsed)
        return record.entry(at: now, realTime: start + elapsed + change).report.startTime
    }

    private static let starts: [Int64] = [
        0, 1, 999_999_999, .seconds(1), 1_795_252_625_123_456_789, 1_795_252_625_999_999_999, .seconds(9_000_000_000),
    ]

    @Test(arguments: [0, 1, .milliseconds(1), .seconds(3), .seconds(3600), .seconds(16_777_214)] as [Int64])
    func theTimeIsFoundAgainToTheNanosecond(later: Int64) {
        for start in Self.starts { #expect(startTime(of: start, after: later) == start) }
    }

    /// Up to the ends of 25 bits.
    @Test(arguments: [3, 16_777_212, -16_777_212] as [Int64])
    func aClockThatWasSetLeavesTheSecond(change: Int64) {
        for start in Self.starts where start + .seconds(change) >= 0 {
            let found = startTime(of: start, after: .seconds(3), setBy: .seconds(change))
            #expect(found / .seconds(1) == start / .seconds(1))
        }
    }

    @Test func aClockThatWasSlewedChangesTheFractionByThatOnly() {
        let (start, slew) = (1_795_252_625_999_999_500 as Int64, 400 as Int64)
        #expect(startTime(of: start, after: .seconds(3), setBy: slew) == start + slew)
        #expect(startTime(of: start, after: .seconds(3), setBy: -slew) == start - slew)
        #expect(startTime(of: start, after: .seconds(3), setBy: 1000) == 1_795_252_625_999_999_999)
        #expect(startTime(of: start + 500, after: .seconds(3), setBy: -1000) == 1_795_252_626_000_000_000)
    }

    @Test func realTimesAsFarApartAsCanBeDoNotTrap() {
        for start in [Int64.min, .max] {
            for now in [Int64.min, 0, .max] {
                let record = ProbationRecord(ipv4, at: Timestamp(nanoseconds: 0), realTime: start)
                let found = record.entry(at: Timestamp(nanoseconds: start), realTime: now).report.startTime
                if now == start && now > 0 { #expect(found / .seconds(1) == start / .seconds(1)) }
            }
        }
    }

    @Test func aRepeatedPortChangesTheFlagsOnly() {
        var record = ProbationRecord(ipv4, at: Timestamp(nanoseconds: 0), realTime: .seconds(7))
        var again = ipv4
        again.transport = .tcp(.syn)
        again.timeToLive = 1
        #expect(record.record(again, at: Timestamp(nanoseconds: .seconds(3))) == .repeated)
        var expected = SourceEntry(first: ipv4, at: Timestamp(nanoseconds: 0), realTime: .seconds(7))
        _ = expected.record(again, at: Timestamp(nanoseconds: .seconds(3)))
        #expect(isSame(record.entry(at: Timestamp(nanoseconds: 0), realTime: .seconds(7)), expected))
        #expect(expected.report.flagsEverSet == .syn.union(.fin) && expected.report.flagsAlwaysSet == .none)
    }

    @Test func everyPacketIsTakenAsByAnEntry() {
        for time in [Int64.min, -1, 0, 1, .seconds(3), .seconds(3) + 1, .max] {
            for flags in UInt8.min...UInt8.max {
                for port in [UInt16(22), 23] {
                    var record = ProbationRecord(ipv4, at: Timestamp(nanoseconds: 0), realTime: 0)
                    var entry = SourceEntry(first: ipv4, at: Timestamp(nanoseconds: 0), realTime: 0)
                    let next = segment(to: port, TCPFlags(rawValue: flags))
                    let now = Timestamp(nanoseconds: time)
                    #expect(record.record(next, at: now) == entry.record(next, at: now))
                }
            }
        }
    }

    private func isSame(_ left: SourceEntry, _ right: SourceEntry) -> Bool {
        let (a, b) = (left.report, right.report)
        return left.lastNewPort == right.lastNewPort && left.weight == right.weight
            && a.source == b.source && a.destination == b.destination && a.sourcePort == b.sourcePort
            && a.ports.count == b.ports.count && a.ports[0] == b.ports[0]
            && a.flagsEverSet == b.flagsEverSet && a.flagsAlwaysSet == b.flagsAlwaysSet
            && a.typeOfService == b.typeOfService && a.timeToLive == b.timeToLive
            && a.changed == b.changed && a.startTime == b.startTime
    }
}
