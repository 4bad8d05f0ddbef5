/// A point in time that can only be compared with others of the same clock.
///
/// In live capture that is a clock that setting the time of day does not change; in a replay, the packets' own
/// timestamps.
public struct Timestamp: Comparable, Sendable {
    /// Nanoseconds since the clock's own zero.
    public let nanoseconds: Int64

    /// Creates a timestamp from nanoseconds since the clock's zero.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `earlier` is at most `limit` nanoseconds ago, and not in the future: timestamps in files can go
    /// backwards.
    public func isWithin(_ limit: Int64, after earlier: Timestamp) -> Bool {
        let (elapsed, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return !overflow && elapsed >= 0 && elapsed <= limit
    }

    /// The earlier of two optional points in time.
    @inline(never)
    public static func earlier(_ one: Timestamp?, _ other: Timestamp?) -> Timestamp? {
        guard let one else { return other }
        guard let other else { return one }
        return min(one, other)
    }

    /// The earlier point is the smaller one.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
