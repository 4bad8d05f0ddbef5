import Capture
import ScanCore
import System

#if Rules
    import HostRules
#endif

/// Where what comes of packets is logged.
protocol ReportLog: ~Copyable {
    /// Logs a report at a level of syslog(3).
    mutating func log(_ report: ScanReport, level: Int32)

    /// Logs what is said about reports that are left out, at their level.
    mutating func log(suppression text: LogLine, level: Int32)

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine)
}

extension SensorReporter: ReportLog {}

/// Where packets become lines: the detector, the limit on the log, and the log.
struct DetectionPipeline<Log: ReportLog & ~Copyable>: ~Copyable, ProbeSink {
    private var memory: DetectorMemory
    private var limited = ReportLogger(level: Parameters.reportLevel)
    #if Rules
        private let exempt: ExemptSources
    #endif
    var log: Log

    init(_ memory: consuming DetectorMemory, _ exempt: consuming ExemptSources, log: consuming Log) {
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

    mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        if let finding = detector.find(probe, at: now, wallClock: realTime / 1_000_000_000) {
            report(finding, at: now)
        }
    }

    mutating func count(_ fault: PacketFault) {
        detector.count(fault)
    }

    mutating func log(notice: LogLine) {
        log.notice(notice)
    }

    /// Logs the report of a scan, or has its source named later. A scan that goes on comes here with each of its ports,
    /// as long as it is not logged; what rules say of its source was asked when it was new.
    @inline(never)  // rare, and large: not for the packets' path
    private mutating func report(_ finding: ScanFinding, at now: Timestamp) {
        logSuppressed(at: now)
        var finding = finding
        #if Rules
            if finding.isNew {
                guard let limit = limit(for: finding.report.source) else {
                    detector.counters.exempt &+= 1
                    return
                }
                finding.suppression.limit = limit
            }
            let limit = finding.suppression.limit
            let isSuppressed =
                limit == Self.usualLimit
                ? limited.log(&finding, at: now, into: &log)
                : exempt.log(&finding, level: limit - 1, at: now, into: &log)
        #else
            let isSuppressed = limited.log(&finding, at: now, into: &log)
        #endif
        if finding.isNew && isSuppressed { detector.counters.suppressed &+= 1 }
        if !finding.isNew || isSuppressed { detector.remember(finding) }
    }

    #if Rules
        /// Reports are limited together with the others.
        private static var usualLimit: UInt8 { 0 }

        /// Which limit there is on the reports of a source: the usual one, or that of a level, which is 1 less; `nil` if
        /// they are not logged at all.
        private func limit(for source: Address) -> UInt8? {
            switch exempt.verdict(for: source) {
            case .reported: Self.usualLimit
            case .reportedAt(let level) where Int32(level) == Parameters.reportLevel: Self.usualLimit
            case .reportedAt(let level): level + 1
            case .exempt: nil
            }
        }
    #endif

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
    mutating func logSuppressed(at now: Timestamp, atExit: Bool = false) {
        limited.logSuppressed(at: now, atExit: atExit, into: &log)
        #if Rules
            exempt.logSuppressed(at: now, atExit: atExit, into: &log)
        #endif
    }

    /// Takes note of how many packets the kernel has dropped since the start.
    mutating func setDropped(_ total: UInt64) {
        detector.counters.droppedByKernel = total
    }

    /// Takes note of what became of fragments since the start.
    mutating func setFragments(_ fragments: FragmentCounters) {
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
