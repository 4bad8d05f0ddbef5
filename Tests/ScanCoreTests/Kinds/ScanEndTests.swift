import Testing

@testable import ScanCore

/// What scans amount to when they are over.
struct ScanEndTests {
    private typealias Detector = ScanDetector<64, 256, 512, 64>

    private static let noon = TimeOfDay(hour: 12, minute: 0, second: 0)
    private static let host = Address(ipv4: 0x0a4d_0002)

    private func probe(
        _ port: UInt16, from source: UInt32 = 1, to host: Address = host, _ flags: TCPFlags = .syn
    ) -> Probe {
        Probe(
            source: Address(ipv4: 0x0a4d_0100 + source), destination: host, sourcePort: 40_000, destinationPort: port,
            transport: .tcp(flags), typeOfService: 0, timeToLive: 64)
    }

    private func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: 100_000_000_000 + milliseconds * 1_000_000)
    }

    /// Processes a probe, and follows the scan if that completes it; the scans that were given up for it.
    private func observe(_ probe: Probe, at milliseconds: Int64, in detector: inout Detector) -> [ScanEnd] {
        let realTime = Int64.seconds(100) + .milliseconds(milliseconds)
        guard let found = detector.find(probe, at: at(milliseconds), realTime: realTime) else { return [] }
        let givenUp = detector.followEnd(of: found, level: 1, at: at(milliseconds))
        return givenUp.map { [$0.end] } ?? []
    }

    private func text(_ end: ScanEnd?) -> String? { end.map { LogLine($0, time: Self.noon).text } }

    @Test func aQuickScanIsOverAfterThirtySeconds() {
        var detector = Detector(key: .forTests)
        for port in UInt16(1)...100 { _ = observe(probe(port), at: Int64(port) * 50, in: &detector) }
        for _ in 0..<5 { _ = observe(probe(7), at: 9000, in: &detector) }  // repeated
        _ = observe(probe(8, .ack.union(.rst)), at: 9000, in: &detector)  // no probe
        let due = detector.nextEndDue
        #expect(due == at(35_000))
        let early = detector.nextEnd(at: at(34_999))
        #expect(early == nil)
        let over = detector.nextEnd(at: at(35_000))
        #expect(text(over?.end) == "10.77.1.1 to 10.77.0.2 end, 100 ports, 1 host, 105 packets, 9 s @12:00:00")
        let (again, none) = (detector.nextEnd(at: at(99_000)), detector.nextEndDue)
        #expect(again == nil && none == nil)
    }

    @Test(arguments: [false, true])
    func hostsAreCountedExactlyWherePairsAreKept(all: Bool) {
        var detector = Detector(key: .forTests)
        if all { detector.detect(KindSettings(.all)) }
        for number in UInt16(1)...40 {
            let host = Address(ipv4: 0x0a4d_0200 + UInt32(number % 20))
            _ = observe(probe(number, to: host), at: Int64(number), in: &detector)
        }
        let end = detector.nextEnd(at: at(100), atExit: true)?.end
        #expect(end?.ports.number == 40 && end?.packets.number == 40 && end?.ports.isLeast == false)
        #expect(end?.hosts.isLeast == !all)
        if all { #expect(end?.hosts.number == 20) }
    }

    @Test func moreHostsThanAreToldApartAreAtLeastSoMany() {
        var detector = Detector(key: .forTests)
        for port in UInt16(1)...7 { _ = observe(probe(port), at: 1, in: &detector) }
        for number in UInt32(0)..<1000 {
            _ = observe(probe(7, to: Address(ipv4: 0x0b00_0000 + number)), at: 2, in: &detector)
        }
        let end = detector.nextEnd(at: at(100), atExit: true)?.end
        // The first one was counted before the report.
        #expect(end?.hosts.number == UInt32(ScanEnds.mostHosts + 1) && end?.hosts.isLeast == true)
        #expect(end?.packets == ScanEnd.Count(number: 1007))
        #expect(
            text(end)
                == "10.77.1.1 to 10.77.0.2 and others, end, 7 ports, 385 or more hosts, 1007 packets, 1 s @12:00:00")
    }

    @Test func theQuietestMakesRoomAndMayGoOn() {
        var detector = Detector(key: .forTests)
        var givenUp: [ScanEnd] = []
        for source in UInt32(1)...33 {
            for port in UInt16(1)...8 {
                givenUp += observe(probe(port, from: source), at: Int64(source * 10), in: &detector)
            }
            if source == 20 { givenUp += observe(probe(99, from: 1), at: 205, in: &detector) }
        }
        #expect(
            givenUp.map { LogLine($0, time: Self.noon).text }
                == ["10.77.1.2 to 10.77.0.2 going on, 8 ports, 1 host, 8 packets, 1 s @12:00:00"])
        var rest = 0
        while detector.nextEnd(at: at(1000), atExit: true) != nil { rest += 1 }
        #expect(rest == ScanEnds.capacity)
    }

    @Test func otherKindsAreCountedByTheirPackets() throws {
        var settings = KindSettings(.all)
        settings.firstClientPort = 32_768
        var detector = Detector(key: .forTests)
        detector.detect(settings)
        detector.host.knowsPorts = true
        let isAdded = detector.host.addresses.insert(Self.host, .forTests)
        #expect(isAdded)
        for port in UInt16(1)...10 {
            let now = at(Int64(port) * 1000)
            var event = PairEvent(.udp, .tried, by: Address(ipv4: 7), at: Self.host, port: port)
            event.sourcePort = 50_000
            guard let found = detector.observe(event, at: now, realTime: .seconds(100)) else { continue }
            let unconfirmed = detector.finding(found, at: now, realTime: .seconds(100))
            let confirmed = detector.confirm(unconfirmed, at: now, realTime: .seconds(100))
            let finding = try #require(confirmed)
            _ = detector.followEnd(of: finding, level: 1, at: now)
        }
        let early = detector.nextEnd(at: at(1_809_999))
        #expect(early == nil)
        let end = detector.nextEnd(at: at(1_810_000))?.end
        #expect(text(end) == "0.0.0.7 to 10.77.0.2 end, 10 ports, 1 host, 10 packets, 9 s @12:00:00")
    }

    /// Against a dictionary, over random scans: quick ones of few sources, ports and hosts.
    @Test(arguments: 0..<100)
    func randomScansAreCountedAsInADictionary(sequence: Int) {
        var random = SplitMix(seed: Seed.value &+ 99_000 &+ UInt64(sequence))
        var detector = Detector(key: .forTests)
        detector.detect(KindSettings(.all))
        var tried: [UInt32: [(port: UInt16, host: UInt32)]] = [:]
        var isFollowed: Set<UInt32> = []
        for step in 0..<600 {
            let source = UInt32(random.next() % 3)
            let (port, host) = (UInt16(random.next() % 60 + 1), UInt32(random.next() % (source + 1)))
            let probe = probe(port, from: source, to: Address(ipv4: 0x0a4d_0300 + host))
            let before = tried[source, default: []]
            let isRepeated = before.contains { $0 == (port, host) }
            if isFollowed.contains(source) || !isRepeated { tried[source, default: []].append((port, host)) }
            let now = at(Int64(step))
            guard let found = detector.find(probe, at: now, realTime: .seconds(100)) else { continue }
            if found.report.kind != .quick { continue }
            _ = detector.followEnd(of: found, level: 1, at: now)
            isFollowed.insert(source)
        }
        var count = 0
        while let (end, _) = detector.nextEnd(at: at(600), atExit: true) {
            count += 1
            let source = UInt32(truncatingIfNeeded: end.source.low) - 0x0a4d_0100
            let pairs = tried[source] ?? []
            #expect(Int(end.ports.number) == Set(pairs.map(\.port)).count)
            #expect(Int(end.hosts.number) == Set(pairs.map(\.host)).count || end.hosts.isLeast)
            #expect(Int(end.packets.number) <= pairs.count)
        }
        #expect(count == 3)
    }

    @Test func whatIsEncodedIsDecoded() throws {
        var detector = Detector(key: .forTests)
        for port in UInt16(1)...9 { _ = observe(probe(port), at: 1, in: &detector) }
        let end = try #require(detector.nextEnd(at: at(2), atExit: true)?.end)
        let encoded = end.encoded
        let bytes = encoded.indices.map { encoded[$0] }
        let again = try ScanEnd(encoded: bytes.span)
        #expect(text(again) == text(end) && again.startTime == end.startTime && again.endTime == end.endTime)
        #expect(end.startTime == .seconds(100) + .milliseconds(1) && end.endTime == end.startTime)
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 0x80
            let changed = try? ScanEnd(encoded: other.span)
            let isOtherTime = changed?.startTime != end.startTime || changed?.endTime != end.endTime
            #expect(changed == nil || text(changed) != text(end) || isOtherTime, "byte \(index)")
        }
        #expect(throws: PacketFault.truncated) { try ScanEnd(encoded: bytes.span.extracting(..<63)) }
    }
}
