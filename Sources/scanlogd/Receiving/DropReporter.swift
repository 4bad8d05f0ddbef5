import Capture
import ScanCore
import System

/// Reports packets dropped by the kernel, at most once a minute while packets arrive.
struct DropReporter: ~Copyable {
    private var counter: DropCounter
    /// The prefix of messages.
    private let prefix: CString
    private let delay: Int64

    /// How many were dropped since the start, as last read from the kernel.
    private(set) var total: UInt64 = 0
    /// How many of them have been reported.
    private var reported: UInt64 = 0
    /// When a drop, or a failure to read the counter, was last reported.
    private var reportedAt: Timestamp?
    /// When to read the kernel's counter; `nil`: after the next packet only.
    private(set) var due: Timestamp?

    /// The minimum interval between reports, in nanoseconds.
    static var interval: Int64 { 60_000_000_000 }

    /// - Parameters:
    ///   - prefix: the prefix of messages.
    ///   - delay: how long after a packet the kernel's counter is read, in nanoseconds: once for all packets in that
    ///     time.
    init(_ counter: consuming DropCounter, prefix: CString, delay: Int64) {
        self.counter = counter
        self.prefix = prefix
        self.delay = delay
    }

    /// Schedules a read of the counter, because packets arrive, or would if they were received.
    mutating func expect(at now: Timestamp) {
        if due != nil { return }
        let soon = Timestamp(nanoseconds: now.nanoseconds + delay)
        let allowed = reportedAt.map { Timestamp(nanoseconds: $0.nanoseconds + Self.interval) }
        due = max(soon, allowed ?? soon)
    }

    /// Whether a read of the counter is due.
    func isDue(at now: Timestamp) -> Bool {
        guard let due else { return false }
        return now >= due
    }

    /// Reads the kernel's count of dropped packets since the start.
    mutating func update(at now: Timestamp) throws(SystemError) {
        do throws(SystemError) {
            total = try counter.update()
        } catch {
            reportedAt = now  // a persistent error is reported as rarely as drops
            throw error
        }
    }

    /// Reads the counter, and returns a message about drops that were not reported; `nil` if there are none.
    mutating func message(at now: Timestamp) throws(SystemError) -> LogLine? {
        due = nil
        try update(at: now)
        return message(about: total, at: now)
    }

    /// The same for a given number of dropped packets since the start.
    mutating func message(about total: UInt64, at now: Timestamp) -> LogLine? {
        if total == reported { return nil }
        var line = LogLine()
        line.append(prefix)
        line.append(decimal: total &- reported)
        line.append(" packets dropped by the kernel: more came than could be received")
        reported = total
        reportedAt = now
        return line
    }
}
