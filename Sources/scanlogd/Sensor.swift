import Capture
import CLinux
import ScanCore

/// Where lines about packets go.
protocol ReportLog: ~Copyable {
    /// Logs a report, or the line in place of one.
    mutating func report(_ line: LogLine)

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine)
}

extension SensorLog: ReportLog {}

/// Where packets become lines: the detector, the limit on the log, and the log.
struct Sensor<Log: ReportLog & ~Copyable>: ~Copyable, SegmentSink {
    private var memory: DetectorMemory
    private var limiter = LogLimiter()
    var log: Log

    init(_ memory: consuming DetectorMemory, log: consuming Log) {
        self.memory = memory
        self.log = log
    }

    /// The detector, with its counters.
    private(set) var detector: Parameters.Detector {
        _read { yield memory.value }
        _modify { yield &memory.value }
    }

    mutating func take(_ segment: Segment, at now: Timestamp, realTime: Int64) {
        if let report = detector.observe(segment, at: now, wallClock: realTime / 1_000_000_000) {
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
        tellSilenced(at: now)
        switch limiter.admit(report, at: now) {
        case .log:
            log.report(LogLine(report, time: TimeOfDay(local: report.startTime)))
        case .notice:
            detector.counters.suppressed &+= 1
            log.report(LogLine(LogLimiter.notice))
        case .suppress:
            detector.counters.suppressed &+= 1
        }
    }

    /// When there are sources to name that were not logged.
    var nextSummaryDue: Timestamp? { limiter.nextSummaryDue }

    /// Names the sources that were not logged, if it is time to.
    @inline(never)
    mutating func tellSilenced(at now: Timestamp, atExit: Bool = false) {
        while let line = limiter.nextSummaryLine(at: now, atExit: atExit) { log.report(line) }
    }

    /// Takes note of how many packets the kernel has dropped since the start.
    mutating func noteDropped(_ total: UInt64) {
        detector.counters.droppedByKernel = total
    }

    /// What was seen and done so far, in one line.
    ///
    /// - Parameter lost: how many lines were lost on the way to the log.
    func status(lost: UInt64) -> LogLine {
        LogLine(status: detector, lost: lost)
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
