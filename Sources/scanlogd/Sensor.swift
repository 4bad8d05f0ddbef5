import Capture
import CLinux
import ScanCore

#if Rules
    import HostRules
#endif

/// Where lines about packets go.
protocol ReportLog: ~Copyable {
    /// Logs a report, or the line in place of one, at a level of syslog(3).
    mutating func report(_ line: LogLine, level: Int32)

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine)
}

extension SensorLog: ReportLog {}

/// Where packets become lines: the detector, the limit on the log, and the log.
struct Sensor<Log: ReportLog & ~Copyable>: ~Copyable, SegmentSink {
    private var memory: DetectorMemory
    private var limited = LimitedReports(level: Parameters.reportLevel)
    #if Rules
        private let exempt: ExemptList
    #endif
    var log: Log

    init(_ memory: consuming DetectorMemory, _ exempt: consuming ExemptList, log: consuming Log) {
        self.memory = memory
        #if Rules
            self.exempt = exempt
        #endif
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
        #if Rules
            switch exempt.verdict(for: report.source) {
            case .reported: break
            case .reportedAt(let level) where Int32(level) == Parameters.reportLevel: break  // that is as always
            case .exempt:
                detector.counters.exempt &+= 1
                return
            case .reportedAt(let level):
                if exempt.take(report, level: level, at: now, into: &log) { detector.counters.suppressed &+= 1 }
                return
            }
        #endif
        if limited.take(report, at: now, into: &log) { detector.counters.suppressed &+= 1 }
    }

    /// When there are sources to name that were not logged.
    var nextSummaryDue: Timestamp? {
        #if Rules
            .earlier(limited.nextSummaryDue, exempt.nextSummaryDue)
        #else
            limited.nextSummaryDue
        #endif
    }

    /// Names the sources that were not logged, if it is time to.
    @inline(never)
    mutating func tellSilenced(at now: Timestamp, atExit: Bool = false) {
        limited.tellSilenced(at: now, atExit: atExit, into: &log)
        #if Rules
            exempt.tellSilenced(at: now, atExit: atExit, into: &log)
        #endif
    }

    /// Takes note of how many packets the kernel has dropped since the start.
    mutating func noteDropped(_ total: UInt64) {
        detector.counters.droppedByKernel = total
    }

    /// Takes note of what became of fragments since the start.
    mutating func noteFragments(_ fragments: FragmentCounters) {
        detector.counters.fragmentsKept = fragments.kept
        detector.counters.fragmentsEvicted = fragments.evicted
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
