/// Keeps the log from being flooded, and nobody from hiding in what it leaves out.
///
/// So many reports in a row are logged, then one line that says more may follow, then no report until none was logged
/// for ``Parameters/reportQuiet``; those that came in the silence don't prolong it. Their sources are kept, and named
/// in a summary of a few lines when the silence is over, or in the next ones when that has no room for all.
///
/// A scan that was not logged and goes on is found again with each of its ports: it is named in every summary while it
/// does, and is logged like a new one when the silence is over.
///
/// On a clock that does not go back, no 20 seconds (``Parameters/reportQuiet``) see more than ``mostLines`` lines come
/// of this: the burst, the line after it, and one summary.
public struct ReportLimiter: Sendable {
    private var count: UInt32 = 0
    private var last: Timestamp?
    private var suppressed = SuppressedSources()
    /// When the first of the scans came that the next summary is about.
    private var firstSilenced: Timestamp?
    private var lastSummary: Timestamp?

    /// When the next summary is due, or `nil` if there is nothing to say: when the silence is over, and not before the
    /// last summary is as long ago.
    public private(set) var nextSummaryDue: Timestamp?

    /// The lines of the summary that is being given out, so far.
    private var summaryLines = 0

    /// A limiter that lets the first reports through.
    public init() {}

    /// What becomes of a report.
    public enum Verdict: Equatable, Sendable {
        /// It is logged.
        case log
        /// It is the first not to be: ``ReportLimiter/notice`` is logged in its place.
        case notice
        /// Nothing is logged.
        case suppress
    }

    /// The line that says reports are being left out.
    public static let notice = "More possible port scans follow"

    /// The most lines that come of reports in ``Parameters/reportQuiet``: the reports, the notice and a summary.
    public static var mostLines: Int { Int(Parameters.reportBurst) + 1 + Parameters.summaryLines }

    /// Decides what becomes of a scan that was found at a time. If it is not logged, its source will be named.
    ///
    /// - Parameter finding: the scan, whose ``ScanFinding/suppression`` becomes what the detector has to remember.
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

    /// Decides what becomes of a report, which is what the reference does.
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

    /// When the quiet time after a point is over.
    private static func after(_ point: Timestamp) -> Timestamp {
        let (end, overflow) = point.nanoseconds.addingReportingOverflow(Parameters.reportQuiet + 1)
        return Timestamp(nanoseconds: overflow ? .max : end)
    }

    /// The next line of a summary, or `nil` when there are no more: to be asked until it is.
    ///
    /// - Parameters:
    ///   - now: nothing is said before a summary is due.
    ///   - atExit: say what there is to say at once, as there will be no later.
    @inline(never)
    public mutating func nextSummaryLine(at now: Timestamp, atExit: Bool = false) -> LogLine? {
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

    /// Makes ready for the next summary, in which those are named that there was no room for in this one.
    private mutating func endSummary(at now: Timestamp, atExit: Bool) {
        suppressed.beginPeriod()
        firstSilenced = nil
        lastSummary = now
        summaryLines = 0
        nextSummaryDue = suppressed.isEmpty || atExit ? nil : Self.after(now)
    }
}
