/// A point on a clock that only matters against other points of the same clock.
///
/// Live, that is the monotonic clock, which setting the time of day does not move; in a replay, the packets' own time.
public struct Timestamp: Comparable, Sendable {
    /// Nanoseconds since the clock's own zero.
    public let nanoseconds: Int64

    /// The point so many nanoseconds after the clock's zero.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `earlier` lies at most `limit` nanoseconds back, and not in the future: clocks in files go backwards.
    public func isWithin(_ limit: Int64, after earlier: Timestamp) -> Bool {
        let (elapsed, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return !overflow && elapsed >= 0 && elapsed <= limit
    }

    /// The earlier of two points, of which there may be one only, or none.
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
