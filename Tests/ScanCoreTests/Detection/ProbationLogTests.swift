import Testing

@testable import ScanCore

/// The log of the sources seen once, with a key under which a host's number is its hash, and its low bits the line.
struct ProbationLogTests {
    @Test func anEmptyLogKnowsNobody() {
        let log = Log<4>()
        #expect(log.held == 0 && log.lost == 0)
        #expect(!log.knows(1) && !log.knows(Address(ipv4: 0)))
        #expect(log.fault == nil)
    }

    @Test func aRecordLivesThroughAsManyOthersAsThereIsRoomFor() {
        let log = Log<4>()  // 32 records, of which at most 8 in a row fall into one line
        for host in UInt32(1)...200 {
            log.add(host)
            #expect((1...host).filter { log.knows($0) }.elementsEqual((max(host, 32) - 31)...host))
            #expect(log.held == min(Int(host), 32))
        }
        #expect(log.lost == 168)
    }

    @Test func oneThatIsTakenOutIsGoneAndTheOthersStay() {
        let log = Log<1>()
        for gone in UInt32(1)...8 {
            for host in UInt32(1)...8 where !log.knows(host) { log.add(host) }
            log.remove(gone)
            #expect((UInt32(1)...8).filter { log.knows($0) } == (1...8).filter { $0 != gone })
        }
    }

    @Test func sixteenYoungerOnesOfItsLinePushARecordOut() {
        let log = Log<4>()
        log.add(4)
        for host in UInt32(2)...16 { log.add(4 * host) }
        #expect(log.knows(4))
        log.add(4 * 17)
        #expect(!log.knows(4) && log.knows(8))
        #expect(log.lost == 0)  // not yet: counted when its record is written over
        for host in UInt32(100)..<116 { log.add(host) }
        #expect(log.lost == 1)
    }

    @Test func thoseThatWereTakenOutPushNobodyOut() {
        let log = Log<4>()
        log.add(4)
        for host in UInt32(2)...30 {
            log.add(4 * host)
            log.remove(4 * host)
        }
        #expect(log.knows(4) && log.held == 1)
    }

    @Test func whatIsTooOldWhenItIsWrittenOverIsNotLost() {
        let log = Log<1>()
        for host in UInt32(1)...8 { log.add(host) }
        for host in UInt32(11)...18 { log.add(host, at: .seconds(3) + 1) }
        #expect(log.lost == 0 && log.held == 8)
        log.add(21, at: .seconds(6) + 1)
        #expect(log.lost == 1)
    }

    @Test func sourcesOfOneFingerprintAreToldApart() {
        // Under this key all hosts have the fingerprint 0, as unused slots do.
        let log = Log<1>()
        for host in UInt32(1)...8 { log.add(host) }
        for host in UInt32(1)...8 { #expect(log.port(of: host) == UInt16(host)) }
    }

    @Test func theNumbersMayBeginAgain() {
        // Each round on a quiet host, of 1,024 records, takes up 16,384 numbers, and there are 2^20.
        let log = Log<2048>()
        for host in UInt32(1)...62 * 1024 { log.addUnchecked(host, at: .milliseconds(10) * Int64(host)) }
        for host in UInt32(0)..<50_000 {
            log.addUnchecked(0x0a00_0000 + host, at: .seconds(700))
            if host % 5_000 == 0 { #expect(log.fault == nil) }
            if host < 17_000 { continue }
            #expect(log.knows(0x0a00_0000 + host - 16_383) && !log.knows(0x0a00_0000 + host - 16_384))
        }
        #expect(log.held == 16_384)
    }

    @Test func aQuietHostUsesTheFrontOfTheLogOnly() {
        // A new source every 10 ms: 300 are to be remembered, and 1024 records are always gone through.
        let log = Log<2048>()
        for host in UInt32(0)..<20_000 {
            let time = Int64.milliseconds(10) * Int64(host)
            log.addUnchecked(0x0a00_0000 + host, at: time)
            #expect(log.knows(0x0a00_0000 + host) && (host < 300 || log.knows(0x0a00_0000 + host - 300)))
        }
        #expect(log.held <= 1025 && log.lost == 0)
        #expect(log.fault == nil)
    }

    @Test func aRoundGoesOnWhileItsBeginningMatters() {
        let log = Log<2048>()
        for host in UInt32(0)..<5_000 { log.addUnchecked(0x0a00_0000 + host) }
        log.addUnchecked(0x0b00_0000, at: .seconds(3))
        #expect(log.held == 5_001)
        log.addUnchecked(0x0b00_0001, at: .seconds(3) + 1)  // over the first
        #expect(log.held == 5_001)
        #expect(!log.knows(0x0a00_0000) && log.knows(0x0a00_0001) && log.knows(0x0b00_0000))
        #expect(log.fault == nil)
    }

    @Test func aClockThatGoesBackDoesNotEndARound() {
        let log = Log<2048>()
        for host in UInt32(0)..<5_000 { log.addUnchecked(0x0a00_0000 + host, at: .seconds(100)) }
        log.addUnchecked(0x0b00_0000, at: .seconds(50))
        #expect(log.held == 5_001 && log.knows(0x0a00_0000))
    }
}

/// How long a record stays, with a key that spreads addresses.
struct ProbationTests {
    /// How many of 40,000 records are lost while so many hundredths of what there is room for come after them.
    private func lost(hundredths: Int) -> Int {
        var random = SplitMix(seed: 1)
        let log = Log<2048>(key: .forTests)
        let others = log.capacity * hundredths / 100 - 1
        let sources = (0..<40_000 + others).map { _ in Address(ipv6High: random.next(), low: random.next()) }
        var lost = 0
        for (index, source) in sources.enumerated() {
            log.add(source)
            if index >= others && !log.knows(sources[index - others]) { lost += 1 }
        }
        return lost
    }

    @Test func fewAreLostBeforeTheirTime() {
        // As ProbationLog promises: 0.06 % of 40,000 are 24, and 0.8 % are 330.
        let (early, late) = (lost(hundredths: 76), lost(hundredths: 100))
        #expect((5...40).contains(early), "\(early)")
        #expect((250...420).contains(late), "\(late)")
    }
}

/// A log; without another key, one in which a host's line is the low bits of its number.
private final class Log<let lineCount: Int> {
    private var log = ProbationLog<lineCount>()
    private let key: HashKey

    init(key: HashKey = .ofChosenHashes) {
        self.key = key
    }

    var capacity: Int { ProbationLog<lineCount>.capacity }
    var held: Int { log.held }
    var lost: UInt64 { log.lost }
    var fault: String? { log.fault(key: key) }

    func knows(_ source: Address) -> Bool { log.find(source, hash: key.hash(source)) != nil }
    func knows(_ host: UInt32) -> Bool { knows(Address(hash: host)) }

    /// The port that a source was added with.
    func port(of host: UInt32) -> UInt16 {
        guard let place = place(of: host) else { return 0 }
        let touch = log.remove(place)
        defer { addUnchecked(host) }
        return touch.entry(at: Timestamp(nanoseconds: 0), realTime: 0).report.ports[0]
    }

    func add(_ host: UInt32, at time: Int64 = 0) {
        addUnchecked(host, at: time)
        if let fault { Issue.record("\(fault)") }
    }

    func add(_ source: Address) {
        log.insert(segment(from: source), hash: key.hash(source), at: Timestamp(nanoseconds: 0), realTime: 0)
    }

    func addUnchecked(_ host: UInt32, at time: Int64 = 0) {
        let source = Address(hash: host)
        let segment = segment(to: UInt16(truncatingIfNeeded: host), from: source)
        log.insert(segment, hash: key.hash(source), at: Timestamp(nanoseconds: time), realTime: 0)
    }

    func remove(_ host: UInt32) {
        guard let place = place(of: host) else { preconditionFailure("\(host): not known") }
        #expect(log.remove(place).source == Address(hash: host))
        if let fault { Issue.record("\(fault)") }
    }

    private func place(of host: UInt32) -> ProbationLog<lineCount>.Place? {
        let source = Address(hash: host)
        return log.find(source, hash: key.hash(source))
    }
}
