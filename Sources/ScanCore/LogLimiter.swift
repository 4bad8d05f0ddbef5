/// Keeps the log from being flooded: so many reports in a row, one line that says more may follow, then silence.
///
/// The log speaks again when no report came for ``Parameters/reportQuiet``; those that came in the silence don't count.
public struct LogLimiter: Sendable {
    private var count: UInt32 = 0
    private var last: Timestamp?

    /// A limiter that lets the first reports through.
    public init() {}

    /// What becomes of a report.
    public enum Verdict: Equatable, Sendable {
        /// It is logged.
        case log
        /// It is the first not to be: ``LogLimiter/notice`` is logged in its place.
        case notice
        /// Nothing is logged.
        case suppress
    }

    /// The line that says reports are being left out.
    public static let notice = "More possible port scans follow"

    /// Decides what becomes of a report that was found at a time.
    public mutating func admit(at now: Timestamp) -> Verdict {
        if let last, now.isWithin(Parameters.reportQuiet, after: last) {
            if count > Parameters.reportBurst { return .suppress }
        } else {
            count = 0
        }
        count += 1
        last = now
        return count <= Parameters.reportBurst ? .log : .notice
    }
}
