import Capture
import ScanCore
import System

/// Logs reports, at a limited rate.
struct ReportLogger {
    private var limiter: ReportLimiter
    /// The level of reports, and of messages about suppressed ones.
    private let level: Int32

    init(of subject: ReportSubject, level: Int32) {
        limiter = ReportLimiter(of: subject)
        self.level = level
    }

    /// When the summary of sources that were not logged is due.
    var nextSummaryDue: Timestamp? { limiter.nextSummaryDue }

    /// Logs the report of a scan, or a notice in its place.
    ///
    /// - Returns: whether the report was suppressed.
    mutating func log<Log: ReportLog & ~Copyable>(
        _ finding: inout ScanFinding, at now: Timestamp, into log: inout Log
    ) -> Bool {
        let verdict = limiter.admit(&finding, at: now)
        switch verdict {
        case .log: log.log(finding.report, level: level)
        case .notice: log.log(limiter.notice, level: level)
        case .suppress: break
        }
        return verdict != .log
    }

    mutating func logSuppressed<Log: ReportLog & ~Copyable>(at now: Timestamp, atExit: Bool, into log: inout Log) {
        while let line = limiter.nextSummaryLine(at: now, atExit: atExit) { log.log(line, level: level) }
    }
}

#if Rules
    /// Reports that rules want at levels of their own. Each level has its own rate limits: no source uses up those of
    /// another level, and messages about suppressed reports are logged at the reports' own level.
    ///
    /// All zero is the initial state, so that memory is touched only for the levels in use.
    struct ReportsByLevel: ~Copyable {
        /// For each level one for port scans, then one for scans of other kinds.
        private var reports = InlineArray<16, ReportLogger>(repeating: ReportLogger(of: .portScans, level: 0))
        private var isInUse = InlineArray<16, Bool>(repeating: false)

        /// When the summary of sources that were not logged is due.
        var nextSummaryDue: Timestamp? {
            mutating get {
                var due: Timestamp?
                for place in isInUse.indices where isInUse[place] { due = .earlier(due, reports[place].nextSummaryDue) }
                return due
            }
        }

        /// Logs the report of a scan at a level, 0 to 7, or a notice in its place.
        ///
        /// - Returns: whether the report was suppressed.
        mutating func log<Log: ReportLog & ~Copyable>(
            _ finding: inout ScanFinding, level: UInt8, at now: Timestamp, into log: inout Log
        ) -> Bool {
            let subject = finding.report.subject
            let place = Int(level & 7) * 2 + Int(subject.rawValue)
            if !isInUse[place] {
                reports[place] = ReportLogger(of: subject, level: Int32(level & 7))
                isInUse[place] = true
            }
            return reports[place].log(&finding, at: now, into: &log)
        }

        mutating func logSuppressed<Log: ReportLog & ~Copyable>(at now: Timestamp, atExit: Bool, into log: inout Log) {
            for place in isInUse.indices where isInUse[place] {
                reports[place].logSuppressed(at: now, atExit: atExit, into: &log)
            }
        }
    }
#endif
