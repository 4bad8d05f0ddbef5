/// Rate-limits reports so that the log can't be flooded, without letting a scan hide among the suppressed ones.
///
/// A burst of reports is logged, then one line that says more may follow, then no report until none was logged for
/// ``Parameters/reportQuiet``; suppressed reports don't prolong this quiet period. Their sources are stored, and named
/// in a summary of a few lines when the quiet period is over, or in the following summaries if there is no room for
/// all.
///
/// A suppressed scan that continues is found again with each new port: it is named in every summary while it continues,
/// and is logged like a new one when the quiet period is over.
///
/// On a clock that does not go back, reports produce at most ``mostLines`` lines in any 20 seconds
/// (``Parameters/reportQuiet``): the burst, the line after it, and one summary.
public struct ReportLimiter: Sendable {
    private var count: UInt32 = 0
    private var last: Timestamp?
    private var suppressed: SuppressedSources
    /// When the first scan for the next summary was suppressed.
    private var firstSilenced: Timestamp?
    private var lastSummary: Timestamp?

    /// When the next summary is due, or `nil` if there is none: when the quiet period is over, and not within a quiet
    /// period after the last summary.
    public private(set) var nextSummaryDue: Timestamp?

    /// The number of lines of the current summary returned so far.
    private var summaryLines = 0

    /// Creates a limiter that lets the first reports through.
    ///
    /// - Parameter subject: what it calls them.
    public init(of subject: ReportSubject = .portScans) { suppressed = SuppressedSources(of: subject) }

    /// The decision on a report.
    public enum Verdict: Equatable, Sendable {
        /// It is logged.
        case log
        /// It is the first to be suppressed: ``ReportLimiter/notice`` is logged instead.
        case notice
        /// Nothing is logged.
        case suppress
    }

    /// The line that announces that reports of port scans are suppressed.
    public static let notice = "More possible port scans follow"

    /// The line that announces that reports are suppressed.
    public var notice: SuppressionLine {
        var summary = SuppressionSummary(of: suppressed.subject)
        summary.isNotice = true
        let text = summary.subject == .portScans ? ReportLimiter.notice : "More possible scans of other kinds follow"
        return SuppressionLine(text: LogLine(text), summary: summary)
    }

    /// The maximum number of lines in ``Parameters/reportQuiet``: the reports, the notice and a summary.
    public static var mostLines: Int { Int(Parameters.reportBurst) + 1 + Parameters.summaryLines }

    /// Decides whether to log a scan found at a time. If it is not logged, its source will be named in a summary.
    ///
    /// - Parameter finding: the scan; its ``ScanFinding/suppression`` is set to what the detector has to store.
    public mutating func admit(_ finding: inout ScanFinding, at now: Timestamp) -> Verdict {
        let verdict = admit(at: now)
        if verdict == .log {
            finding.suppression = Suppression()
            return .log
        }
        suppressed.add(&finding)
        if firstSilenced == nil {
            firstSilenced = now
            if nextSummaryDue == nil { nextSummaryDue = Self.after(max(last ?? now, lastSummary ?? now)) }
        }
        return verdict
    }

    /// Decides whether to log a report, exactly as the reference does.
    mutating func admit(at now: Timestamp) -> Verdict {
        if let last, now.isWithin(Parameters.reportQuiet, after: last) {
            if count > Parameters.reportBurst { return .suppress }
        } else {
            count = 0
        }
        count += 1
        last = now
        return count <= Parameters.reportBurst ? .log : .notice
    }

    /// The end of the quiet period that begins at a time.
    private static func after(_ point: Timestamp) -> Timestamp {
        let (end, overflow) = point.nanoseconds.addingReportingOverflow(Parameters.reportQuiet + 1)
        return Timestamp(nanoseconds: overflow ? .max : end)
    }

    /// The next line of a summary, or `nil` if there are no more: to be called until it returns `nil`.
    ///
    /// - Parameters:
    ///   - now: no line is returned before a summary is due.
    ///   - atExit: return what is pending at once, as there will be no later summary.
    @inline(never)
    public mutating func nextSummaryLine(at now: Timestamp, atExit: Bool = false) -> SuppressionLine? {
        guard let nextSummaryDue else { return nil }
        if summaryLines == 0 && !atExit && now < nextSummaryDue { return nil }
        if summaryLines > 0 && suppressed.isComplete {
            endSummary(at: now, atExit: atExit)
            return nil
        }
        summaryLines += 1
        let isLast = summaryLines == Parameters.summaryLines
        let begin = firstSilenced ?? now
        let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(begin.nanoseconds)
        return suppressed.nextLine(
            duration: overflow ? .max : max(elapsed, 0), isFirst: summaryLines == 1, isLast: isLast)
    }

    /// Prepares the next summary, which names the sources that did not fit into this one.
    private mutating func endSummary(at now: Timestamp, atExit: Bool) {
        suppressed.beginPeriod()
        firstSilenced = nil
        lastSummary = now
        summaryLines = 0
        nextSummaryDue = suppressed.isEmpty || atExit ? nil : Self.after(now)
    }
}

/// What a limiter's reports are about.
public enum ReportSubject: UInt8, Sendable {
    /// Those of ``ScanKind/quick``, as scanlogd 2.2.8 names them.
    case portScans = 0
    /// Those of the other kinds.
    case otherScans
}
