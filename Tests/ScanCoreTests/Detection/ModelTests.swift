import Testing

@testable import ScanCore

/// Random sequences of packets: against the model, and against the limits of the table.
struct ModelTests {
    @Test(arguments: 0..<400)
    func randomPacketsAreJudgedAsByTheModel(sequence: Int) {
        let seed = Seed.value &+ UInt64(sequence)
        var traffic = Traffic(seed: seed)
        var model = RuleModel()
        // Fewer packets than entries: nobody has to make room, and the model knows no table.
        var detector = SmallDetector(key: traffic.key())
        for step in 0..<250 {
            let packet = traffic.next()
            let expected = model.observe(packet.segment, at: packet.time, realTime: packet.realTime)
            let now = Timestamp(nanoseconds: packet.time)
            let report = detector.observe(packet.segment, at: now, realTime: packet.realTime)
            let line = report.map { LogLine($0, time: TimeOfDay(utc: $0.startTime)).text }
            let fault = detector.fault
            let held = detector.sourcesHeld
            guard line == expected, fault == nil, held == model.held else {
                Issue.record(
                    """
                    SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step): \(packet)
                    line: \(line ?? "none"), model: \(expected ?? "none"), table: \(fault ?? "whole"), \
                    held: \(held), model: \(model.held)
                    """)
                return
            }
        }
        let evicted = detector.sourcesEvicted
        #expect(evicted == 0)
    }

    @Test func noFloodOfSourcesSeenOnceTouchesThoseWithTwoPorts() {
        // Now and then, when no source has one port only, six times as many sources come as there is room for.
        var floods = 0
        var reports = 0
        for sequence in UInt64(0)..<60 {
            let seed = Seed.value &+ 7000 &+ sequence
            var traffic = Traffic(seed: seed, sources: 3)
            var random = SplitMix(seed: seed)
            var model = RuleModel()
            var detector = SmallDetector(key: traffic.key())
            for step in 0..<250 {
                let packet = traffic.next()
                let now = Timestamp(nanoseconds: packet.time)
                let expected = model.observe(packet.segment, at: packet.time, realTime: packet.realTime)
                let report = detector.observe(packet.segment, at: now, realTime: packet.realTime)
                let line = report.map { LogLine($0, time: TimeOfDay(utc: $0.startTime)).text }
                #expect(line == expected, "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step)")
                if line != nil { reports += 1 }
                if model.knowsAFirstTouch { continue }
                floods += 1
                for _ in 0..<(floods % 50 == 0 ? 3000 : 1) {
                    let source = Address(ipv6High: 0xfd99_0000_0000_0000, low: random.next())
                    _ = detector.observe(segment(from: source), at: now, realTime: packet.realTime)
                }
            }
            let evicted = detector.sourcesEvicted
            #expect(evicted == 0)
        }
        #expect(floods > 1000 && reports > 10, "\(floods) floods, \(reports) reports")
    }

    @Test func theRandomPacketsReachBothVerdicts() {
        // A model test in which nothing is ever reported would prove little.
        var lines: [String] = []
        for sequence in UInt64(0)..<100 {
            var traffic = Traffic(seed: sequence)
            var model = RuleModel()
            for _ in 0..<250 {
                let packet = traffic.next()
                let line = model.observe(packet.segment, at: packet.time, realTime: packet.realTime)
                if let line { lines.append(line) }
            }
        }
        #expect(lines.count > 100)
        #expect(lines.contains { $0.contains("[") } && lines.contains { $0.contains(" and others,") })
        #expect(lines.contains { $0.contains("?") } && lines.contains { !$0.contains("?") })
        #expect(lines.contains { $0.contains("TOS") } && lines.contains { !$0.contains("TOS") })
        #expect(lines.contains { $0.contains("TTL") } && lines.contains { !$0.contains("TTL") })
        #expect(lines.contains { !$0.hasPrefix("[") && !$0.split(separator: " ")[0].contains(".") })
    }

    @Test(arguments: 0..<20)
    func aTableOf4In2BucketsStaysWhole(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 1000 &+ UInt64(sequence))
        crowd(ScanDetector<1, 4, 2, 4>(key: traffic.key()), with: &traffic, sequence: sequence)
    }

    @Test(arguments: 0..<20)
    func aTableOf3In1BucketStaysWhole(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 2000 &+ UInt64(sequence))
        crowd(ScanDetector<1, 3, 1, 4>(key: traffic.key()), with: &traffic, sequence: sequence)
    }

    @Test(arguments: 0..<20)
    func aTableOf1StaysWhole(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 3000 &+ UInt64(sequence))
        crowd(ScanDetector<1, 1, 1, 4>(key: traffic.key()), with: &traffic, sequence: sequence)
    }

    @Test(arguments: 0..<20)
    func aTableWhereAllCollideStaysWhole(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 4000 &+ UInt64(sequence), sources: 60)
        let held = crowd(ScanDetector<4, 40, 1, 4>(key: traffic.key()), with: &traffic, sequence: sequence)
        #expect(held <= Parameters.collisionCap)
    }

    @Test(arguments: 0..<20)
    func aTableWithMoreRoomThanTheCapsStaysWhole(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 5000 &+ UInt64(sequence), sources: 60)
        let held = crowd(ScanDetector<4, 40, 2, 4>(key: traffic.key()), with: &traffic, sequence: sequence)
        #expect(held <= 2 * Parameters.collisionCap)
    }

    /// Sends more sources than there is room for, and returns the most that were held at a time.
    @discardableResult
    private func crowd<let lineCount: Int, let capacity: Int, let bucketCount: Int>(
        _ given: consuming ScanDetector<lineCount, capacity, bucketCount, 4>, with traffic: inout Traffic, sequence: Int
    ) -> Int {
        var detector = given
        var most = 0
        for step in 0..<400 {
            let packet = traffic.next()
            let now = Timestamp(nanoseconds: packet.time)
            _ = detector.observe(packet.segment, at: now, realTime: packet.realTime)
            let place = "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step): \(packet)"
            if let fault = detector.fault {
                Issue.record("\(place): \(fault)")
                return most
            }
            most = max(most, detector.sourcesFollowed)
            if most > capacity {
                Issue.record("\(place): more held than there is room for")
                return most
            }
            if packet.segment.source.isUnspecified || packet.segment.flags?.contains(.ack) == true { continue }
            // The source of this packet is known now, whoever else had to go. A RST to another port tells: from a
            // known source it is ignored, from a new one it would be a probe.
            var question = packet.segment
            question.destinationPort = Traffic.unusedPort
            question.transport = .tcp(.rst)
            let probes = detector.counters.probes
            let report = detector.observe(question, at: now, realTime: packet.realTime)
            if report != nil || detector.counters.probes != probes {
                Issue.record("\(place): the most recent source is not known")
                return most
            }
        }
        return most
    }
}
