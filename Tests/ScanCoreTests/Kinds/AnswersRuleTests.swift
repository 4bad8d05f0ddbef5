import Testing

@testable import ScanCore

/// The quick rule that counts what became of a port.
struct AnswersRuleTests {
    private typealias Detector = ScanDetector<64, 256, 512, 64>

    private static let scanner = Address(ipv4: 0x0a4d_0001)
    private static let own = Address(ipv4: 0x0a4d_0002)

    private static func detector(_ kinds: ScanKinds = quick, rule: QuickRule = .answers) -> Detector {
        var detector = Detector(key: .forTests)
        detector.detect(KindSettings(kinds, quickRule: rule))
        return detector
    }

    private static var quick: ScanKinds {
        var kinds = ScanKinds.none
        kinds.insert(.quick)
        return kinds
    }

    private func probe(
        _ port: UInt16, _ flags: TCPFlags = .syn, from source: Address = scanner, to host: Address = own
    ) -> Probe {
        Probe(
            source: source, destination: host, sourcePort: 40_000, destinationPort: port, transport: .tcp(flags),
            typeOfService: 0, timeToLive: 64)
    }

    private func answer(_ port: UInt16, _ flags: TCPFlags, to source: Address = scanner) -> Probe {
        Probe(
            source: Self.own, destination: source, sourcePort: port, destinationPort: 40_000, transport: .tcp(flags),
            typeOfService: 0, timeToLive: 64)
    }

    private func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: 100_000_000_000 + milliseconds * 1_000_000)
    }

    /// The reports about probes, each 10 ms after the last, of which those of open ports are answered and closed well.
    private func reports(_ ports: [UInt16], open: Set<UInt16> = [], in detector: inout Detector) -> [ScanReport] {
        var reports: [ScanReport] = []
        for (number, port) in ports.enumerated() {
            let now = at(Int64(number) * 10)
            if let report = detector.observe(probe(port), at: now, realTime: .seconds(100)) { reports.append(report) }
            if !open.contains(port) { continue }
            for segment in [answer(port, .syn.union(.ack)), probe(port, .fin.union(.ack))] {
                if let report = detector.observe(segment, at: now, realTime: .seconds(100)) { reports.append(report) }
            }
        }
        return reports
    }

    @Test func sixtyOpenPortsAreNoScanUnlessTouchesCount() {
        let ports = [UInt16](40_000..<40_060)
        var byAnswers = Self.detector()
        #expect(reports(ports, open: Set(ports), in: &byAnswers).isEmpty)
        var byTouches = Self.detector(rule: .touches)
        #expect(reports(ports, open: Set(ports), in: &byTouches).count == 1)
    }

    @Test(arguments: [([UInt16](1...7), 7), ([UInt16](2001...2021), 21), ([UInt16](1...6) + [UInt16](2001...2003), 9)])
    func failuresCountAsTouchesDo(ports: [UInt16], number: Int) {
        var whole = Self.detector()
        #expect(reports(ports, in: &whole).count == 1)
        var less = Self.detector()
        #expect(reports([UInt16](ports.prefix(number - 1)), in: &less).isEmpty)
    }

    /// And 3 until they have answered.
    @Test func openPrivilegedPortsCountOne() {
        let open = [UInt16](101...112)
        var six = Self.detector()
        #expect(reports([1, 2, 3, 4] + open.prefix(6), open: Set(open), in: &six).isEmpty)
        var nine = Self.detector()
        #expect(reports([1, 2, 3] + open + [4], open: Set(open), in: &nine).count == 1)
    }

    /// Of more than 32 pairs the open ones are forgotten first.
    @Test func openPortsDoNotHideThoseThatFail() {
        let open = [UInt16](40_000..<40_100)
        var ports: [UInt16] = []
        for (index, port) in open.enumerated() {
            if index % 14 == 0 { ports.append(UInt16(index / 14 + 1)) }
            ports.append(port)
        }
        var detector = Self.detector()
        #expect(reports(ports, open: Set(open), in: &detector).count == 1)
    }

    @Test func localNetworksCountAsOneHostAndOnePortOnce() throws {
        var settings = KindSettings(Self.quick, quickRule: .answers)
        let isAdded = settings.local.append(Address(ipv4: 0x0a4d_0000), prefixLength: 24)
        #expect(isAdded)
        var detector = Detector(key: .forTests)
        detector.detect(settings)
        for host in UInt32(10)..<40 {
            let probe = probe(445, to: Address(ipv4: 0x0a4d_0000 | host))
            let report = detector.observe(probe, at: at(Int64(host)), realTime: .seconds(100))
            #expect(report == nil)
        }
        var found: ScanReport?
        for port in UInt16(1)...6 {
            let probe = probe(port, to: Address(ipv4: 0x0a4d_0000 | UInt32(port)))
            found = detector.observe(probe, at: at(100 + Int64(port)), realTime: .seconds(100)) ?? found
        }
        #expect(found?.changed.destination == true)
        #expect(found?.ports.contains(445) == true)
    }

    /// Without any answer, of one host, it is the rule of touches: the same lines about the same packets, until a source
    /// is reported. (After that, the rule of touches no longer knows which ports are new.)
    @Test(arguments: 0..<200)
    func withoutAnswersItIsTheRuleOfTouches(sequence: Int) {
        var random = SplitMix(seed: Seed.value &+ 77_000 &+ UInt64(sequence))
        var byTouches = ScanDetector<64, 256, 512, 64>(key: .forTests)
        var byAnswers = ScanDetector<64, 256, 512, 64>(key: .forTests)
        byAnswers.detect(KindSettings(Self.quick, quickRule: .answers))
        var milliseconds: Int64 = 0
        var reported: UInt64 = 0
        for step in 0..<800 {
            let gaps: [Int64] = [0, 1, 40, 900, 2999, 3000, 3001, 3500]
            milliseconds += gaps[Int(random.next() % 8)] / (random.next() % 16 == 0 ? 1 : 20)
            let number = reported * 4 + random.next() % 4
            let source =
                number % 4 == 3
                ? Address(ipv6High: 0xfd77_0000 << 32 | number, low: 9) : Address(ipv4: 0x0a4d_0100 + UInt32(number))
            let ports = random.next() % 40
            let port = UInt16(ports < 12 ? ports + 1 : 2000 + ports)
            let flags: [TCPFlags] = [.syn, .syn, .syn, .fin, .none]
            let probe = probe(port, flags[Int(random.next() % 5)], from: source)
            let now = at(milliseconds)
            let expected = byTouches.observe(probe, at: now, realTime: .seconds(1000) + .milliseconds(milliseconds))
            let found = byAnswers.observe(probe, at: now, realTime: .seconds(1000) + .milliseconds(milliseconds))
            let noon = TimeOfDay(hour: 12, minute: 0, second: 0)
            let lines = (expected, found).0.map { LogLine($0, time: noon).text }
            #expect(found.map { LogLine($0, time: noon).text } == lines, "sequence \(sequence), step \(step)")
            // A candidate knows when a run began to within 128 ms.
            let difference = (found?.startTime ?? 0) - (expected?.startTime ?? 0)
            #expect(abs(difference) < .milliseconds(128), "sequence \(sequence), step \(step)")
            #expect(found?.endTime == expected?.endTime)
            if found != nil { reported += 1 }
        }
        #expect(reported > 0)
    }

    @Test func aHostsOwnSocketsSayWhatIsOpen() throws {
        var settings = KindSettings(.all, quickRule: .answers)
        settings.firstClientPort = 32_768
        var detector = Detector(key: .forTests)
        detector.detect(settings)
        detector.host.knowsPorts = true
        let isAdded = detector.host.addresses.insert(Self.own, .forTests)
        #expect(isAdded)
        for port in UInt16(100)..<113 { detector.host.ports.tcp.insert(port) }
        var finding: ScanFinding?
        for port in UInt16(100)..<113 {
            finding = detector.find(probe(port), at: at(Int64(port)), realTime: .seconds(100)) ?? finding
        }
        #expect(finding == nil)
        for port in UInt16(1)..<8 {
            finding = detector.find(probe(port), at: at(300 + Int64(port)), realTime: .seconds(100)) ?? finding
        }
        let found = try #require(finding)
        #expect(!found.isConfirmed && found.report.kind == .quick)
        let confirmed = detector.confirm(found, at: at(310), realTime: .seconds(100))
        #expect(confirmed?.report.kind == .quick && confirmed?.report.seconds == 0)
        let again = detector.find(probe(9), at: at(320), realTime: .seconds(100))
        let counted = detector.counters.reports
        #expect(again == nil && counted == 1)
    }

    @Test func aSuppressedReportIsReturnedWithEachPort() throws {
        var detector = Self.detector()
        var finding: ScanFinding?
        for port in UInt16(1)...7 { finding = detector.find(probe(port), at: at(Int64(port)), realTime: .seconds(100)) }
        var suppressed = try #require(finding)
        #expect(suppressed.isNew)
        suppressed.suppression.newPorts = 7
        detector.remember(suppressed)
        let next = detector.find(probe(8), at: at(8), realTime: .seconds(100))
        #expect(next?.isNew == false && next?.report.kind == .quick)
        let repeated = detector.find(probe(8), at: at(9), realTime: .seconds(100))
        #expect(repeated == nil)
    }
}
