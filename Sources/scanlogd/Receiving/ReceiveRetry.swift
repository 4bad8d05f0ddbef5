import ScanCore

/// Retries after packets can't be received: it pauses, so that a persistent error does not take all of a processor, and
/// logs the error once an hour.
struct ReceiveRetry {
    /// How long to wait after a receive that failed, in nanoseconds.
    static var pause: Int64 { 1_000_000_000 }
    /// How often a persistent error is logged, in nanoseconds.
    static var reminderInterval: Int64 { 3_600_000_000_000 }

    /// Whether the last receive failed.
    private(set) var isFailing = false
    private var reminderDue: Timestamp?

    /// Records that a receive failed. Returns whether that is to be logged.
    mutating func recordFailure(at now: Timestamp) -> Bool {
        let isNew = !isFailing
        isFailing = true
        if let reminderDue, !isNew, now < reminderDue { return false }
        reminderDue = Timestamp(nanoseconds: now.nanoseconds + Self.reminderInterval)
        return true
    }

    /// Records that a receive succeeded. Returns whether that is to be logged, because the last one failed.
    mutating func recordSuccess() -> Bool {
        let wasFailing = isFailing
        isFailing = false
        return wasFailing
    }
}
