import Capture
import CLinux
import ScanCore

/// Where lines about packets go.
protocol ReportLog {
    /// Logs a report, or the line in place of one.
    mutating func report(_ line: LogLine)

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine)
}

extension SystemLog: ReportLog {}

/// Where packets become lines: the detector, the limit on the log, and the log.
struct Sensor<Log: ReportLog>: ~Copyable, SegmentSink {
    private(set) var detector: Parameters.Detector
    private var limiter = LogLimiter()
    var log: Log

    init(key: HashKey, log: Log) {
        detector = Parameters.Detector(key: key)
        self.log = log
    }

    mutating func take(_ segment: Segment, at now: Timestamp, wallClock: Int64) {
        if let report = detector.observe(segment, at: now, wallClock: wallClock) {
            take(report, at: now)
        }
    }

    mutating func take(_ fault: PacketFault) {
        detector.count(fault)
    }

    mutating func take(_ notice: LogLine) {
        log.notice(notice)
    }

    @inline(never)  // rare, and large: not for the packets' path
    private mutating func take(_ report: ScanReport, at now: Timestamp) {
        switch limiter.admit(at: now) {
        case .log:
            log.report(LogLine(report, time: TimeOfDay(local: report.startTime)))
        case .notice:
            detector.counters.suppressed &+= 1
            log.report(LogLine(LogLimiter.notice))
        case .suppress:
            detector.counters.suppressed &+= 1
        }
    }

    /// Takes note of how many packets the kernel has dropped since the start, and returns how many are new.
    mutating func noteDropped(_ total: UInt64) -> UInt64 {
        let new = total &- detector.counters.droppedByKernel
        detector.counters.droppedByKernel = total
        return new
    }
}

extension HashKey {
    /// A key that nobody can guess, from the kernel's random numbers (getentropy(3)).
    static func random() throws(SystemError) -> HashKey {
        var words = InlineArray<5, UInt64>(repeating: 0)
        var span = words.mutableSpan
        _ = try check("random numbers", "get") {
            unsafe span.withUnsafeMutableBytes { unsafe Int32(getentropy($0.baseAddress, $0.count)) }
        }
        return HashKey(words)
    }
}
