import ScanCore

@testable import Capture
import System

/// Takes everything down that a capture hands over, and what the detector makes of it, with UTC as local time.
struct Recorder: ~Copyable, ProbeSink {
    struct Arrival {
        var segment: Probe
        var time: Timestamp
        /// In nanoseconds since 1970 UTC.
        var realTime: Int64
    }

    private(set) var arrivals: [Arrival] = []
    private(set) var faults: [PacketFault] = []
    private(set) var notices: [String] = []
    private(set) var lines: [String] = []
    /// Smaller than the daemon's, which would not fit on the stack of a test.
    private var detector = ScanDetector<64, 256, 512, 4>(key: .forTests)
    private var limiter = ReportLimiter()

    mutating func receive(_ segment: Probe, at now: Timestamp, realTime: Int64) {
        arrivals.append(Arrival(segment: segment, time: now, realTime: realTime))
        guard var finding = detector.find(segment, at: now, realTime: realTime) else { return }
        let report = finding.report
        switch limiter.admit(&finding, at: now) {
        case .log:
            let second = UInt32(report.startTime / 1_000_000_000 % 86_400)
            let time = TimeOfDay(
                hour: UInt8(second / 3600), minute: UInt8(second / 60 % 60), second: UInt8(second % 60))
            lines.append(LogLine(report, time: time).text)
        case .notice: lines.append(LogLine(ReportLimiter.notice).text)
        case .suppress: break
        }
        detector.remember(finding)
    }

    mutating func count(_ fault: PacketFault) { faults.append(fault) }

    mutating func log(notice: LogLine) { notices.append(notice.text) }
}

extension HashKey {
    /// A key that spreads addresses, the same in every run.
    static var forTests: HashKey {
        HashKey([
            0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
            0xa076_1d64_78bd_642f,
        ])
    }
}

extension LogLine {
    /// The line as a string.
    var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}
