/// Limits the rate of lines per second, and reports every ten seconds how many were suppressed.
public struct LineRateLimiter: Sendable {
    /// The interval between reports of suppressed lines, in nanoseconds.
    public static let summaryInterval: Int64 = 10_000_000_000

    /// The number of lines suppressed since the start.
    public private(set) var suppressed: UInt64 = 0

    private let limit: UInt64?
    private var begin: Timestamp?
    private var count: UInt64 = 0
    private var unreported: UInt64 = 0
    private var unreportedSince: Timestamp?

    /// Creates a limiter of lines per second, whose first second begins with the first line; `nil`: no limit.
    public init(limit: UInt64?) {
        self.limit = limit
    }

    /// Whether a line may be written; if not, it is counted.
    public mutating func admit(at now: Timestamp) -> Bool {
        guard let limit else { return true }
        if begin.map({ now.isWithin(999_999_999, after: $0) }) != true {
            begin = now
            count = 0
        }
        if count < limit {
            count += 1
            return true
        }
        if unreported == 0 { unreportedSince = now }
        unreported += 1
        suppressed += 1
        return false
    }

    /// When the next summary of suppressed lines is due; `nil` if none were suppressed.
    public var summaryDue: Timestamp? {
        unreportedSince.map { Timestamp(nanoseconds: $0.nanoseconds &+ LineRateLimiter.summaryInterval) }
    }

    /// The summary: how many lines were suppressed since the last one, and in how many seconds, rounded up.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - atExit: return the summary even if it is not due yet.
    /// - Returns: the line, or `nil` if nothing is due.
    @inline(never)
    public mutating func summary(at now: Timestamp, atExit: Bool = false) -> LogLine? {
        guard let since = unreportedSince else { return nil }
        // Packet timestamps can go backwards.
        if !atExit && now.isWithin(LineRateLimiter.summaryInterval - 1, after: since) { return nil }
        let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(since.nanoseconds)
        var line = LogLine("connections: ")
        line.append(decimal: unreported)
        line.append(" lines suppressed in ")
        line.append(decimal: overflow || elapsed <= 0 ? 1 : UInt64(elapsed - 1) / 1_000_000_000 + 1)
        line.append(" s")
        unreported = 0
        unreportedSince = nil
        return line
    }
}
