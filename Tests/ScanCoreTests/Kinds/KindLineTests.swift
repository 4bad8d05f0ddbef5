import Testing

@testable import ScanCore

/// The lines about the other kinds, byte for byte, as the process that logs makes them.
struct KindLineTests {
    private func report(_ kind: ScanKind, ports: [UInt16], source: Address = address("10.77.0.1")) -> ScanReport {
        var report = ScanReport(
            kind, source: source, destination: source.isIPv4 ? address("10.77.0.2") : address("fd77::2"))
        for port in ports { report.ports.append(port) }
        report.sourcePort = 40_000
        report.flagsEverSet = .syn
        report.flagsAlwaysSet = .syn
        report.timeToLive = 64
        report.endTime = .seconds(120)
        return report
    }

    private func line(_ report: ScanReport) throws -> String {
        let sent = try ScanReport(encoded: report.encoded.span)
        return LogLine(sent, time: TimeOfDay(hour: 20, minute: 11, second: 2)).text
    }

    @Test func aSlowScanHasWhatItsSegmentsWereLike() throws {
        let expected = "10.77.0.1:40000 to 10.77.0.2 slow ports 22, 80, ..., 120 s, fSrpauxy, TOS 00, TTL 64 @20:11:02"
        #expect(try line(report(.slow, ports: [22, 80])) == expected)
    }

    @Test(
        arguments: [(.udp, "udp ports"), (.ack, "ack ports"), (.sctp, "sctp ports"), (.protocols, "protocols")]
            as [(ScanKind, String)])
    func whatHasNoSegmentsHasNoFlags(kind: ScanKind, words: String) throws {
        #expect(
            try line(report(kind, ports: [68, 7])) == "10.77.0.1 to 10.77.0.2 \(words) 68, 7, ..., 120 s @20:11:02")
    }

    @Test func aSweepCountsHosts() throws {
        var sweep = report(.sweep, ports: [445])
        sweep.hosts = 16
        sweep.changed.destination = true
        sweep.changed.sourcePort = true
        sweep.changed.typeOfService = true
        sweep.changed.timeToLive = true
        #expect(
            try line(sweep) == "10.77.0.1 to 10.77.0.2 and others, sweep port 445, 16 hosts, 120 s, fSrpauxy @20:11:02")
        var ping = report(.ping, ports: [0])
        ping.hosts = 32
        ping.changed.destination = true
        #expect(try line(ping) == "10.77.0.1 to 10.77.0.2 and others, sweep ping, 32 hosts, 120 s @20:11:02")
    }

    @Test func aNetworkIsNamedIfItsHostsTookTurns() throws {
        var spread = report(.spread, ports: [21, 23], source: address("fd77:0:0:aa::"))
        spread.sourceIsPrefix = true
        spread.changed.sourcePort = true
        #expect(
            try line(spread)
                == "fd77:0:0:aa::/64 to fd77::2 spread ports 21, 23, ..., 4 or more sources, 120 s @20:11:02"
        )
    }

    @Test(arguments: [ScanKind.slow, .spread, .udp, .ack, .sctp, .protocols])
    func portsAreLeftOutOfALineThatWouldBeTooLong(kind: ScanKind) throws {
        let long = report(kind, ports: (0..<20).map { 65_500 + $0 })
        let text = try line(long)
        #expect(text.utf8.count <= 120 && text.utf8.count > 120 - 14)
        let all = LogLine(long, time: TimeOfDay(hour: 20, minute: 11, second: 2), limit: nil).text
        #expect(all.contains("65519"))
    }

    @Test func aReportThatNoDetectorMakesIsRefused() {
        var sweep = report(.sweep, ports: [445])
        #expect(throws: PacketFault.malformed) { try line(sweep) }  // of no host
        sweep = report(.sweep, ports: [445, 22])
        sweep.hosts = 16
        #expect(throws: PacketFault.malformed) { try line(sweep) }
        var slow = report(.slow, ports: [22])
        slow.hosts = 1
        #expect(throws: PacketFault.malformed) { try line(slow) }
        slow = report(.slow, ports: [22])
        slow.sourceIsPrefix = true  // of IPv4
        #expect(throws: PacketFault.malformed) { try line(slow) }
    }

    @Test func theLimitOfOtherScansHasItsOwnWords() {
        var limiter = ReportLimiter(of: .otherScans)
        for number in UInt32(1)...7 {
            var finding = ScanFinding(report(.slow, ports: [22], source: Address(ipv4: number)), lot: number)
            let verdict = limiter.admit(&finding, at: Timestamp(nanoseconds: 0))
            #expect(verdict == (number <= 5 ? .log : number == 6 ? .notice : .suppress))
        }
        #expect(limiter.notice.text.text == "More possible scans of other kinds follow")
        let summary = limiter.nextSummaryLine(at: Timestamp(nanoseconds: .seconds(21)))?.text.text ?? ""
        #expect(summary.hasPrefix("2 other scans from 2 sources not logged in 21 s: 0.0.0."))
    }
}
