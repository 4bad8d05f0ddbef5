/// Lets so many lines a second through, and says every ten seconds how many it did not.
public struct LineRateLimiter: Sendable {
    /// How often it is said that lines were suppressed, in nanoseconds.
    public static let summaryInterval: Int64 = 10_000_000_000

    /// How many lines were suppressed since the start.
    public private(set) var suppressed: UInt64 = 0

    private let limit: UInt64?
    private var begin: Timestamp?
    private var count: UInt64 = 0
    private var unreported: UInt64 = 0
    private var unreportedSince: Timestamp?

    /// A rate of so many lines a second, which begins with the first; `nil`: any number.
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

    /// When it is to be said how many lines were suppressed; `nil`: none were.
    public var summaryDue: Timestamp? {
        unreportedSince.map { Timestamp(nanoseconds: $0.nanoseconds &+ LineRateLimiter.summaryInterval) }
    }

    /// The line that says how many lines were suppressed since it was last said, and in how many seconds, rounded up.
    ///
    /// - Parameters:
    ///   - now: when it is.
    ///   - atExit: it is time to say so anyway.
    /// - Returns: the line, or `nil` if there is nothing to say yet.
    @inline(never)
    public mutating func summary(at now: Timestamp, atExit: Bool = false) -> LogLine? {
        guard let since = unreportedSince else { return nil }
        // A clock of packets goes backwards, too.
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
