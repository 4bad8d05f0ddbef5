import Foundation
import Testing

@testable import ScanCore

/// A scan whose report was suppressed and that goes on is named while it does, and logged when the silence is over.
struct ContinuedScanTests {
    private let log = LogWatch()
    private let scanner = address("10.77.0.1")

    /// The decoys' addresses, so many of them.
    private func decoys(_ count: UInt32) -> [Address] { (0..<count).map { Address(ipv4: 0xc8c8_c864 + $0) } }

    /// Seven ports of each source, port after port in the order of the sources, as `nmap -D` sends them.
    private func scan(_ sources: [Address], ports: ClosedRange<UInt16> = 1...7, at time: Int64, gap: Int64 = 0) {
        for port in ports {
            for source in sources { log.send(port, from: source, at: time + Int64(port - ports.lowerBound) * gap) }
        }
    }

    @Test func aSlowScanBehindSeventyForgedOnesIsNamedInEachSummaryAndThenLogged() {
        scan(decoys(70), at: 0)
        #expect(log.reports.count == 5 && log.notices == 1)
        for step in UInt16(0)..<60 {
            log.send(step + 1, from: scanner, at: Int64(step) * .milliseconds(2500) + 1)
        }
        // It is a scan at 15 s, of more ports than any decoy's at 20 s, and has its line with the next port after it.
        #expect(log.summaries.first?.first?.contains(" s: 10.77.0.1, ") == true)
        let line = log.reports.first { $0.text.hasPrefix("10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., ") }
        #expect((.seconds(20)...(.seconds(23))).contains(line?.time ?? 0))
        #expect(log.reports.count { $0.text.hasPrefix("10.77.0.1:") } == 1)
        #expect(log.counters.reports == 71 && log.counters.suppressed == 66)
        #expect(log.fault == nil)
    }

    @Test func whileTheSilenceIsKeptUpItIsNamedInEverySummary() {
        // Six new sources scan just when the silence is over, so that there is never a line to spare.
        let end = Int64.seconds(200)
        var forged = UInt32(0x1400_0000)
        var next: Int64 = 0
        for time in stride(from: Int64(0), to: end, by: 100_000_000) {
            if time >= next {
                for _ in 0..<6 {
                    for port in UInt16(1)...7 { log.send(port, from: Address(ipv4: forged), at: time) }
                    forged += 1
                }
                next = time + .seconds(20) + 1
            }
            if time % Int64.seconds(2) == Int64.milliseconds(300) {
                log.send(UInt16(time / Int64.seconds(2)) + 1, from: scanner, at: time)
            }
        }
        #expect(log.summaries.count >= 9)
        #expect(log.summaries.allSatisfy { $0.joined().contains(" 10.77.0.1") })
        #expect(log.mostLinesIn20Seconds <= ReportLimiter.mostLines)
    }

    @Test(arguments: [60, 100, 127] as [UInt32])
    func theScannerBehindDecoysThatDoTheSameIsNamed(count: UInt32) {
        // nmap -D with the scanner last, over before the first summary: all are named in four of them.
        scan(decoys(count) + [scanner], at: 0)
        for time in 1...6 { log.pass(.seconds(21) * Int64(time)) }
        #expect(log.named.contains("10.77.0.1"))
        #expect(log.named.count == Int(count) + 1)
        #expect(log.mostLinesIn20Seconds <= ReportLimiter.mostLines)
    }

    @Test func theScannerBehindTwentyIPv6DecoysIsNamed() {
        let decoys = (0..<20).map { Address(ipv6High: 0xfd77_ffff_ffff_ffff, low: 0xffff_ffff_ffff_ff00 + UInt64($0)) }
        scan(decoys + [address("fd77::1")], at: 0)
        for time in 1...2 { log.pass(.seconds(21) * Int64(time)) }
        #expect(log.named.contains("fd77::1") && log.named.count == 21)
    }

    @Test func aScanOfAThousandPortsAmongAThousandDecoysIsNamedIfItSendsMore() {
        // Beside those that there is room for; the decoys have the first 400 ports, the scanner all.
        let all = decoys(400) + [scanner]
        for port in UInt16(1)...1000 {
            let time = Int64(port) * .milliseconds(15)
            for source in port <= 400 ? all : [scanner] { log.send(port, from: source, at: time) }
        }
        log.pass(.seconds(30))
        #expect(log.summaries[0][0].contains(" s: 10.77.0.1, "))
        #expect(log.mostLinesIn20Seconds <= ReportLimiter.mostLines)
    }

    @Test func amongMoreDecoysThanThereIsRoomForAllThatGoOnAreNamedInTheEnd() {
        // 300 that do all the same for ten minutes: none can be told from the others, and each gets its turn.
        let all = decoys(300) + [scanner]
        for step in 0..<300 {
            let time = Int64(step) * .seconds(2)
            for source in all { log.send(UInt16(step) + 1, from: source, at: time) }
        }
        #expect(log.named.contains("10.77.0.1"))
        #expect(log.named.count > 290, "\(log.named.count) of 301")
        #expect(log.mostLinesIn20Seconds <= ReportLimiter.mostLines)
    }

    @Test func theSamePortAgainIsNoNewPort() {
        scan(decoys(6), at: 0)
        for step in Int64(1)...12 { log.send(99, from: decoys(6)[5], at: .seconds(2) * step) }
        // Its report, and the first packet to port 99 only: the silence is over at 20 s, but no new port was touched.
        #expect(log.reports.count == 5)
        #expect(log.summaries.count == 1)
    }

    @Test func oneThatEndedIsNotNamedAgain() {
        scan(decoys(7), at: 0)
        log.send(8, from: decoys(7)[6], at: .seconds(3))
        log.pass(.seconds(100))
        log.send(9, from: decoys(7)[6], at: .seconds(101))
        #expect(log.summaries.count == 1 && log.reports.count == 5)
        let line = "2 port scans from 2 sources not logged in 100 s: 200.200.200.106, 200.200.200.105"
        #expect(log.summaries[0] == [line])
    }

    @Test(arguments: 0..<30)
    func whateverArrivesTheLogStaysSmall(sequence: Int) {
        var random = SplitMix(seed: Seed.value &+ 9000 &+ UInt64(sequence))
        let sources = decoys(UInt32.random(in: 1...300, using: &random))
        let usual: Int64 = [1_000_000, 20_000_000, 300_000_000].randomElement(using: &random) ?? 0
        var now: Int64 = 0
        var port: UInt16 = 0
        for _ in 0..<600 {
            now += Int64.random(in: 0...usual, using: &random)
            let isPause = Int.random(in: 0..<100, using: &random) == 0
            if isPause { now += Int64.random(in: 0...(.seconds(25)), using: &random) }
            let first = Int.random(in: 0..<sources.count, using: &random)
            let last = min(first + Int.random(in: 0...20, using: &random), sources.count - 1)
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                port = port == 900 ? 1 : port + 1
                for source in sources[first...last] { log.send(port, from: source, at: now) }
            }
        }
        let place = "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence)"
        #expect(log.mostLinesIn20Seconds <= ReportLimiter.mostLines, "\(place)")
        #expect(log.fault == nil, "\(place)")
    }
}

/// The detector of the shipped size and the limit on the log, as the sensor joins them.
final class LogWatch {
    struct Line {
        var text: String
        var time: Int64
    }

    private let detector = FullWatch()
    private var limiter = ReportLimiter()
    private(set) var reports: [Line] = []
    private(set) var notices = 0
    private(set) var summaries: [[String]] = []
    private var times: [Int64] = []
    private var suppressed: UInt64 = 0

    func send(_ port: UInt16, from source: Address, at time: Int64) {
        pass(time)
        guard var finding = detector.find(segment(to: port, from: source), at: time) else { return }
        let verdict = limiter.admit(&finding, at: Timestamp(nanoseconds: time))
        switch verdict {
        case .log:
            let text = LogLine(finding.report, time: TimeOfDay(utc: finding.report.startTime)).text
            reports.append(Line(text: text, time: time))
            times.append(time)
        case .notice:
            notices += 1
            times.append(time)
        case .suppress: break
        }
        if finding.isNew && verdict != .log { suppressed += 1 }
        detector.remember(finding)
    }

    /// Lets time pass, and says what is to be said then.
    func pass(_ time: Int64) {
        var lines: [String] = []
        while let line = limiter.nextSummaryLine(at: Timestamp(nanoseconds: time)) {
            lines.append(line.text.text)
            times.append(time)
        }
        if !lines.isEmpty { summaries.append(lines) }
    }

    /// All addresses that stand in the log as sources.
    var named: Set<String> {
        var named = Set(reports.map { $0.text.split(separator: " ")[0].split(separator: ":4")[0] }.map(String.init))
        for line in summaries.joined() {
            guard let colon = line.range(of: ": ") else { continue }
            for name in line[colon.upperBound...].split(separator: " ") {
                let name = name.hasSuffix(",") ? name.dropLast() : name
                if name.contains(".") || name.contains(":") { named.insert(String(name)) }
            }
        }
        return Set(named.map { $0.hasPrefix("[") ? String($0.dropFirst().dropLast()) : $0 })
    }

    var mostLinesIn20Seconds: Int {
        var (first, most) = (0, 0)
        for index in times.indices {
            while times[index] - times[first] > .seconds(20) { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }

    var counters: DetectorCounters {
        var counters = detector.counters
        counters.suppressed = suppressed
        return counters
    }

    var fault: String? { detector.fault }
}
