import Testing

@testable import ScanCore

/// Probes that are judged together are judged as each would be by itself.
struct ProbeVectorTests {
    /// What is known and wanted.
    enum Setting: CaseIterable {
        case onlyQuick
        case allKinds
        case allKindsOnAHostThatKnowsItsPorts

        func apply(to detector: inout SmallDetector) {
            if self != .onlyQuick { detector.detect(KindSettings(.all)) }
            if self != .allKindsOnAHostThatKnowsItsPorts { return }
            detector.host.knowsPorts = true
            detector.host.ports.tcp.insert(80)
        }
    }

    @Test(arguments: Setting.allCases, 0..<60)
    func theEndsOfVectorsChangeNothing(setting: Setting, sequence: Int) {
        let seed = Seed.value &+ 9000 &+ UInt64(sequence)
        var traffic = Traffic(seed: seed, sources: sequence % 2 == 0 ? 4 : 60)
        var random = SplitMix(seed: seed)
        let key = traffic.key()
        var single = SmallDetector(key: key)
        var together = SmallDetector(key: key)
        setting.apply(to: &single)
        setting.apply(to: &together)
        var vector = ProbeVector()
        var expected: [String] = []
        var found: [String] = []
        for _ in 0..<1000 {
            let packet = traffic.next()
            let now = Timestamp(nanoseconds: packet.time)
            if var finding = single.find(packet.segment, at: now, realTime: packet.realTime) {
                expected.append(text(of: finding, at: now, realTime: packet.realTime))
                suppress(&finding, in: &single)
            }
            let realTime = packet.realTime
            together.append(packet.segment, to: &vector, at: now, realTime: realTime)
            if vector.isFull || random.next() % 20 == 0 { judge(&vector, by: &together, into: &found) }
        }
        judge(&vector, by: &together, into: &found)
        let place = "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence)"
        #expect(found == expected, "\(place)")
        let (counted, expectedCount) = (together.counters, single.counters)
        #expect(counted == expectedCount, "\(place)")
        let fault = together.fault
        #expect(fault == nil, "\(place)")
        let isEmpty = vector.isEmpty
        #expect(isEmpty)
    }

    @Test func scansAreFoundThatWay() {
        // A comparison of nothing with nothing would prove little.
        var detector = SmallDetector(key: .forTests)
        var vector = ProbeVector()
        var found: [String] = []
        for port in UInt16(1)...UInt16(ProbeVector.capacity) {
            detector.append(segment(to: port), to: &vector, at: Timestamp(nanoseconds: Int64(port)), realTime: 0)
        }
        let isFull = vector.isFull
        #expect(isFull)
        judge(&vector, by: &detector, into: &found)
        #expect(found.count == 1 + ProbeVector.capacity - 7, "the seventh port, and what comes of it")
    }

    @Test func whatIsNeverAProbeTakesNoRoom() {
        var detector = SmallDetector(key: .forTests)
        var vector = ProbeVector()
        let nobody = Address(ipv4: 0)
        for probe in [segment(to: 80, .ack), segment(to: 80, .ack.union(.psh)), segment(to: 80, from: nobody)] {
            detector.append(probe, to: &vector, at: Timestamp(nanoseconds: 0), realTime: 0)
        }
        let isEmpty = vector.isEmpty
        #expect(isEmpty)
        let counters = detector.counters
        #expect(counters.packets == 3 && counters.ignored == 3)
    }

    private func judge(_ vector: inout ProbeVector, by detector: inout SmallDetector, into found: inout [String]) {
        while var finding = detector.nextFinding(in: &vector) {
            found.append(text(of: finding, at: vector.time, realTime: vector.realTime))
            suppress(&finding, in: &detector)
        }
    }

    /// Every report is suppressed, so that scans that continue are found again.
    private func suppress(_ finding: inout ScanFinding, in detector: inout SmallDetector) {
        finding.suppression.newPorts = 1
        detector.remember(finding)
    }

    private func text(of finding: ScanFinding, at now: Timestamp, realTime: Int64) -> String {
        let line = LogLine(finding.report, time: TimeOfDay(utc: finding.report.startTime)).text
        return "\(line) \(finding.isNew) \(finding.lot) \(finding.lastPort) \(now.nanoseconds) \(realTime)"
    }
}
