import Capture
import ScanCore
import System

#if Rules
    import HostRules
#endif

/// The log of findings about packets.
protocol ReportLog: ~Copyable {
    /// What is logged from here on comes of a packet that arrived so many nanoseconds after 1970 began.
    mutating func begin(at realTime: Int64)

    /// Logs a report at a level of syslog(3).
    mutating func log(_ report: ScanReport, level: Int32)

    /// Logs the end of a scan at the level of its report.
    mutating func log(_ end: ScanEnd, level: Int32)

    /// Logs a line about suppressed reports, at their level.
    mutating func log(_ suppression: SuppressionLine, level: Int32)

    /// Logs something of the touches of a minute, if there is room; returns whether there was.
    mutating func log(_ touch: TouchMessage) -> Bool

    /// Counts a message for which there was no room.
    mutating func countLost()

    /// Logs a warning.
    mutating func warn(_ line: LogLine)

    /// Logs a change that is not an error.
    mutating func notice(_ line: LogLine)
}

extension SensorReporter: ReportLog {
    /// The logger reads the clock itself.
    mutating func begin(at realTime: Int64) {}
}

/// Turns packets into log messages: the detector, the rate limit of reports, and the log.
struct DetectionPipeline<Log: ReportLog & ~Copyable>: ~Copyable, ProbeSink {
    private var memory: DetectorMemory
    /// Probes that have not been judged yet.
    private var waiting = ProbeVector()
    private var limited = ReportLogger(of: .portScans, level: Parameters.reportLevel)
    /// Scans of other kinds have a rate limit of their own, so that the lines about port scans stay what they are.
    private var limitedOthers = ReportLogger(of: .otherScans, level: Parameters.reportLevel)
    private let exempt: ExemptSources
    var log: Log
    /// What the host says of itself; `nil` if it is not the one that is monitored, but a file.
    private var monitor: HostMonitor?
    /// Whether the ends of scans are logged, too.
    private let reportsEnds: Bool
    /// What sources touch in each minute; `nil` if that is not logged.
    private var touches: MinuteTouches?
    private let notesTouches: Bool

    init(
        _ memory: consuming DetectorMemory, _ exempt: consuming ExemptSources, log: consuming Log,
        of monitor: consuming HostMonitor? = nil, reportsEnds: Bool = false,
        touches: consuming MinuteTouches? = nil
    ) {
        notesTouches = touches != nil
        self.touches = touches
        self.memory = memory
        self.monitor = monitor
        self.reportsEnds = reportsEnds
        self.exempt = exempt
        self.log = log
    }

    /// The detector, with its counters.
    var detector: Parameters.Detector {
        _read { yield memory.value }
        _modify { yield &memory.value }
    }

    /// Probes are judged together: when there are many, and at the end of a batch.
    @inline(__always)
    mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        if notesTouches { touches?.note(probe, at: now, realTime: realTime) }
        memory.value.append(probe, to: &waiting, at: now, realTime: realTime)
        memory.prefetch(at: Parameters.Detector.firstRead(for: &waiting))
        if waiting.isFull { judge() }
    }

    /// Judges the probes received so far: to be called before anything else is asked or told.
    @inline(never)
    mutating func judge() {
        while let finding = memory.value.nextFinding(in: &waiting) {
            report(finding, at: waiting.time, realTime: waiting.realTime)
        }
    }

    /// Whether a probe that has not been judged yet arrived more than a second before a packet, or after it.
    func hasProbesLongBefore(_ now: Timestamp) -> Bool {
        !waiting.isEmpty && !now.isWithin(1_000_000_000, after: waiting.firstTime)
    }

    /// Each packet comes here first, then its probes, if it has any: one that is no TCP segment is for other kinds of
    /// scans.
    @inline(__always)
    mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool {
        if let event = memory.value.pair(in: packet) { judge(event, at: now, realTime: realTime) }
        return false
    }

    @inline(never)  // rare
    private mutating func judge(_ event: PairEvent, at now: Timestamp, realTime: Int64) {
        judge()
        if let finding = detector.find(event, at: now, realTime: realTime) {
            report(finding, at: now, realTime: realTime)
        }
    }

    mutating func count(_ fault: PacketFault) {
        detector.count(fault)
    }

    mutating func log(notice: LogLine) {
        log.notice(notice)
    }

    /// Logs the report of a scan, or adds its source to a later summary. Until it is logged, a scan that continues
    /// arrives here with each of its ports; the rules were checked for its source when the scan was new.
    @inline(never)  // rare, and large: keep it out of the packet path
    private mutating func report(_ finding: ScanFinding, at now: Timestamp, realTime: Int64) {
        guard var finding = confirmed(finding, at: now, realTime: realTime) else { return }
        log.begin(at: realTime)
        logSuppressed(at: now)
        if notesTouches { touches?.leaveOut(finding.report.source) }
        #if Rules
            if finding.isNew {
                guard let limit = limit(for: finding.report.source) else {
                    detector.counters.exempt &+= 1
                    return
                }
                finding.suppression.limit = limit
            }
            let limit = finding.suppression.limit
            let level = limit == Self.usualLimit ? Parameters.reportLevel : Int32(limit) - 1
            let isSuppressed =
                limit == Self.usualLimit
                ? logAtUsualLimit(&finding, at: now)
                : exempt.log(&finding, level: limit - 1, at: now, into: &log)
        #else
            let level = Parameters.reportLevel
            let isSuppressed = logAtUsualLimit(&finding, at: now)
        #endif
        if reportsEnds && !isSuppressed {
            if let other = detector.followEnd(of: finding, level: level, at: now) {
                log.log(other.end, level: other.level)
            }
        }
        if finding.isNew && isSuppressed { detector.counters.suppressed &+= 1 }
        if !finding.isNew || isSuppressed { detector.remember(finding) }
    }

    /// The finding, if it is still one when the ports that the host has open are known anew.
    private mutating func confirmed(_ finding: ScanFinding, at now: Timestamp, realTime: Int64) -> ScanFinding? {
        if finding.isConfirmed { return finding }
        updatePorts()
        return detector.confirm(finding, at: now, realTime: realTime)
    }

    /// Whether the host's ports or addresses have been looked up since this was last false.
    var hostIsUpdated = false

    /// Looks which ports the host has open, unless that was done within the last second.
    mutating func updatePorts() {
        if let update = monitor?.updatePorts(of: &memory.value.host) { note(update) }
    }

    /// Looks which addresses the host has, if they have changed.
    mutating func updateAddresses() {
        if let update = monitor?.updateAddresses(of: &memory.value.host) { note(update) }
    }

    private mutating func note(_ update: HostMonitor.Update) {
        switch update {
        case .notYet: break
        case .done: hostIsUpdated = true
        case .failed(let error): if let error { log.warn(error.line) }
        }
    }

    /// Readable when the host's addresses have changed; -1 if that does not matter.
    var addressChanges: Int32 {
        switch monitor {
        case .some(let monitor): monitor.descriptor
        case .none: -1
        }
    }

    private mutating func logAtUsualLimit(_ finding: inout ScanFinding, at now: Timestamp) -> Bool {
        switch finding.report.subject {
        case .portScans: limited.log(&finding, at: now, into: &log)
        case .otherScans: limitedOthers.log(&finding, at: now, into: &log)
        }
    }

    #if Rules
        /// Reports share the usual rate limit.
        private static var usualLimit: UInt8 { 0 }

        /// The rate limit for reports of a source: the usual one, or one of a level, encoded as level + 1; `nil` if
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

    /// When the summary of sources that were not logged is due, or the end of a scan.
    var nextLineDue: Timestamp? {
        var due = Timestamp.earlier(limited.nextSummaryDue, limitedOthers.nextSummaryDue)
        if reportsEnds { due = .earlier(due, memory.value.nextEndDue) }
        #if Rules
            return .earlier(due, exempt.nextSummaryDue)
        #else
            return due
        #endif
    }

    /// Logs a summary of the sources that were not logged, if it is due, and the ends of scans that are over.
    mutating func logSuppressed(at now: Timestamp, atExit: Bool = false) {
        limited.logSuppressed(at: now, atExit: atExit, into: &log)
        limitedOthers.logSuppressed(at: now, atExit: atExit, into: &log)
        #if Rules
            exempt.logSuppressed(at: now, atExit: atExit, into: &log)
        #endif
        while let over = detector.nextEnd(at: now, atExit: atExit) { log.log(over.end, level: over.level) }
    }

    /// When something of the touches of a minute is due.
    var nextTouchDue: Timestamp? {
        switch touches {
        case .some(let touches): touches.due
        case .none: nil
        }
    }

    /// Logs what is due of the touches of a minute, but for those of sources that are exempt.
    mutating func logTouches(at now: Timestamp, atExit: Bool = false) {
        touches?.log(at: now, atExit: atExit, into: &log, exempt)
    }

    /// Records how many packets the kernel has dropped since the start.
    mutating func setDropped(_ total: UInt64) {
        detector.counters.droppedByKernel = total
    }

    /// Records the counters of fragments since the start.
    mutating func setFragments(_ fragments: FragmentCounters) {
        detector.counters.fragmentsKept = fragments.kept
        detector.counters.fragmentsEvicted = fragments.evicted
    }

    /// The counters since the start.
    ///
    /// - Parameter lost: how many lines of the log were lost.
    func status(lost: UInt64) -> StatusCounts {
        StatusCounts(of: detector, lost: lost)
    }
}
