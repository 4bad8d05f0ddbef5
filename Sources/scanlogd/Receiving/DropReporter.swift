import Capture
import ScanCore
import System

/// Reports packets that the kernel dropped: as long as packets come, and at most once a minute.
struct DropReporter: ~Copyable {
    private var counter: DropCounter
    /// What a message begins with.
    private let prefix: CString
    private let delay: Int64

    /// How many were dropped since the start, when the kernel was asked last.
    private(set) var total: UInt64 = 0
    /// How many of them have been reported.
    private var reported: UInt64 = 0
    /// When that, or that the kernel does not say, was reported last.
    private var reportedAt: Timestamp?
    /// When to ask the kernel; `nil`: not before packets come.
    private(set) var due: Timestamp?

    /// How often a report is made at most, in nanoseconds.
    static var interval: Int64 { 60_000_000_000 }

    /// - Parameters:
    ///   - prefix: what messages begin with.
    ///   - delay: how long after a packet the kernel is asked, in nanoseconds: once for all that come meanwhile.
    init(_ counter: consuming DropCounter, prefix: CString, delay: Int64) {
        self.counter = counter
        self.prefix = prefix
        self.delay = delay
    }

    /// Takes note that packets come, or would come if they were received.
    mutating func expect(at now: Timestamp) {
        if due != nil { return }
        let soon = Timestamp(nanoseconds: now.nanoseconds + delay)
        let allowed = reportedAt.map { Timestamp(nanoseconds: $0.nanoseconds + Self.interval) }
        due = max(soon, allowed ?? soon)
    }

    /// Whether it is time to ask the kernel.
    func isDue(at now: Timestamp) -> Bool {
        guard let due else { return false }
        return now >= due
    }

    /// Asks the kernel how many there were since the start.
    mutating func update(at now: Timestamp) throws(SystemError) {
        do throws(SystemError) {
            total = try counter.update()
        } catch {
            reportedAt = now  // a fault that stays is reported as seldom as the packets
            throw error
        }
    }

    /// Asks the kernel, and makes a message of those that have not been reported; `nil` if there are none.
    mutating func message(at now: Timestamp) throws(SystemError) -> LogLine? {
        due = nil
        try update(at: now)
        return message(about: total, at: now)
    }

    /// The same, of a number of packets since the start.
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
