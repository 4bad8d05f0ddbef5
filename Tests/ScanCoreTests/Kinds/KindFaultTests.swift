import Testing

@testable import ScanCore

/// What hostile packets, and packets out of order, must not do to the other kinds of scans.
struct KindFaultTests {
    /// The /64 of the loopback address: its network address is the unspecified one.
    @Test func aScanOfTheFirst64CanBeEncoded() throws {
        var candidate = Candidate(event(from: "::a", port: 21), at: 0)
        for (low, port) in zip(["::a", "::b", "::c", "::d"], UInt16(21)...) {
            _ = candidate.add(pair(port), of: event(from: low, port: port), at: 0)
        }
        var report = candidate.report(as: .spread, at: 1000, realTime: 0)
        candidate.complete(&report, with: pair(24), of: event(from: "::d", port: 24))
        #expect(report.sourceIsPrefix)
        let read = try ScanReport(encoded: report.encoded.span)
        #expect(read.sourceIsPrefix)
        #expect(read.source == address("::"))
    }

    @Test func aNetworkWithHostBitsIsRefused() {
        let candidate = Candidate(event(from: "fd77::a", port: 21), at: 0)
        var report = candidate.report(as: .spread, at: 1000, realTime: 0)
        report.ports.append(21)
        report.sourceIsPrefix = true
        #expect(throws: PacketFault.malformed) { try ScanReport(encoded: report.encoded.span) }
    }

    /// A report is made when a unit of 65,536 ms has just begun; the next packet is from before it.
    @Test(arguments: [UInt32(65_536), 0])
    func aStepBackDoesNotMakeAReportedCandidateNew(unit: UInt32) {
        var candidate = Candidate(event(from: "fd77::a", port: 21), at: unit)
        candidate.markReported(at: unit, asQuick: false)
        #expect(candidate.isReported(at: unit))
        #expect(candidate.isReported(at: unit &- 1))
        #expect(candidate.isReported(at: unit &- 3000))
    }

    @Test(arguments: [UInt32(0), 65_535, UInt32.max - 100_000])
    func aReportIsForgottenAfterItsSilence(start: UInt32) {
        var candidate = Candidate(event(from: "fd77::a", port: 21), at: start)
        candidate.markReported(at: start, asQuick: false)
        #expect(candidate.isReported(at: start &+ UInt32(Parameters.reportedLifetime) &- 65_536))
        #expect(!candidate.isReported(at: start &+ UInt32(Parameters.reportedLifetime) &+ 2 * 65_536))
        candidate.markReported(at: start, asQuick: true)
        #expect(candidate.isReported(at: start &+ UInt32(Parameters.candidateLifetime) &- 65_536))
        #expect(!candidate.isReported(at: start &+ UInt32(Parameters.candidateLifetime) &+ 2 * 65_536))
    }

    /// Times wrap around after 49 days, and a difference of them is below 0 after half of that.
    @Test(arguments: [UInt32(0), 3_000_000_000])
    func aCandidateOfManyWeeksSaysNothingWrong(start: UInt32) {
        var candidate = Candidate(event(from: "fd77::a", port: 0), at: start)
        candidate.markReported(at: start, asQuick: false)
        let (pause, day) = (UInt32(1_500_000), UInt32(86_400))
        for number in UInt32(0)..<5000 {
            let now = start &+ number &* pause
            _ = candidate.add(pair(UInt16(number)), of: event(from: "fd77::a", port: UInt16(number)), at: now)
            let seconds = number * 1500
            let report = candidate.report(as: .slow, at: now, realTime: 0)
            #expect(report.seconds == max(min(seconds, 24 * day), 1))
            if seconds < day - 66 { #expect(candidate.isReported(at: now)) }
            if seconds > day + 66 { #expect(!candidate.isReported(at: now)) }
            #expect(candidate.fault == nil)
        }
    }

    @Test func aFullListLosesTheOldestOpenPairFirst() {
        var candidate = Candidate(event(from: "fd77::a", port: 1), at: 0)
        for port in UInt16(1)...32 { add(port, to: &candidate) }
        let areMarked = [candidate.mark(pair(7, .open)), candidate.mark(pair(9, .open))]
        #expect(areMarked == [true, true])
        for (port, victim) in zip(UInt16(33)..., [UInt16(7), 9, 1, 2]) {
            add(port, to: &candidate)
            #expect(candidate.pairCount == 32)
            #expect(candidate.pair(like: pair(victim)) == nil)
            #expect(candidate.pair(like: pair(port)) != nil)
        }
    }

    @Test func onlyAPauseOfThreeSecondsCounts() {
        for (pause, counts) in [(UInt32(2999), false), (3000, true)] {
            for start in [UInt32(0), UInt32.max - 1000] {
                var candidate = Candidate(event(from: "fd77::a", port: 1), at: start)
                _ = candidate.add(pair(1), of: event(from: "fd77::a", port: 1), at: start)
                _ = candidate.add(pair(2), of: event(from: "fd77::a", port: 2), at: start &+ pause)
                #expect(candidate.hasPaused == counts)
            }
        }
    }

    @Test func aQuickScanThatIsNotDetectedIsNotCounted() {
        var kinds = ScanKinds.all
        kinds.remove(.quick)
        for (kinds, reports) in [(kinds, UInt64(0)), (.all, 1)] {
            var detector = SmallDetector(key: .forTests)
            detector.detect(KindSettings(kinds))
            for port in UInt16(1)...7 {
                let report = detector.observe(segment(to: port), at: Timestamp(nanoseconds: 0), realTime: 0)
                #expect((report != nil) == (reports == 1 && port == 7))
            }
            #expect(detector.counters.reports == reports)
        }
    }

    /// A segment makes one report: which of two it completes is the one that can't come later.
    @Test func aSweepIsNotLostToAQuickScan() {
        var detector = SmallDetector(key: .forTests)
        var kinds = ScanKinds.none
        kinds.insert(.quick)
        kinds.insert(.sweep)
        detector.detect(KindSettings(kinds))
        var time: Int64 = 1000
        var found: [ScanKind] = []
        func send(_ port: UInt16, to host: UInt32) {
            let probe = segment(to: port, destination: Address(ipv4: 0x0a4d_0000 + host))
            let now = Timestamp(nanoseconds: time * 1_000_000_000)
            if let report = detector.observe(probe, at: now, realTime: .seconds(time)) { found.append(report.kind) }
        }
        for host in UInt32(1)...16 {
            send(80, to: host)
            time += 4  // ends what the quick rule counts
        }
        for port in UInt16(1)...6 { send(port, to: 1) }
        #expect(found == [])
        send(80, to: 17)  // the seventh port, and the weight of a sweep
        send(80, to: 18)
        #expect(found == [.quick, .sweep])
        #expect(detector.counters.reports == 2)
    }

    /// No length of any prefix of a packet is a trap.
    @Test func aPacketCutAnywhereIsReadOrRefused() {
        let quoted = IPv4Packet(ipProtocol: 17, source: address("10.77.0.2"), destination: address("10.77.0.1"))
        let error = IPv4Packet(ipProtocol: 1, payload: [3, 3, 0, 0, 0, 0, 0, 0] + quoted.bytes).bytes
        var refused = 0
        for length in 0...error.count {
            let cut = [UInt8](error.prefix(length))
            do throws(PacketFault) {
                let event = try PairEvent.read(cut.span)
                #expect(event?.outcome == .refused)
                refused += 1
            } catch {
                #expect(length < 20 + 8 + 20 + 4)
            }
        }
        #expect(refused > 0)
    }

    /// A later fragment has no ports to quote.
    @Test func anErrorAboutALaterFragmentShowsNothing() throws {
        let quoted = IPv4Packet(
            fragment: 0x0001, ipProtocol: 17, source: address("10.77.0.2"), destination: address("10.77.0.1"))
        let error = IPv4Packet(ipProtocol: 1, payload: [3, 3, 0, 0, 0, 0, 0, 0] + quoted.bytes).bytes
        #expect(try PairEvent.read(error.span)?.port == nil)
    }

    private func add(_ port: UInt16, to candidate: inout Candidate) {
        let isNew = candidate.add(pair(port), of: event(from: "fd77::a", port: port), at: 0)
        #expect(isNew)
    }

    private func event(from source: String, port: UInt16) -> PairEvent {
        PairEvent(.tcp, .tried, by: address(source), at: address("fd77::2"), port: port)
    }

    private func pair(_ port: UInt16, _ state: Pair.State = .pending) -> Pair {
        Pair(destination: 1, port: port, state: state, at: 0)
    }
}
