import Capture
import CLinux
import ScanCore

/// Lines on their way to the system log: each is kept until it has arrived, as long as there is room.
struct LogDelivery: ~Copyable {
    private var log: SystemLog
    private var queue = LineQueue()

    /// When to try again to deliver what waits; `nil`: at once.
    private(set) var retryDue: Timestamp?

    /// How long the system log is left alone when it did not take a line, in nanoseconds: ever longer, up to a bound.
    private var retryPause = Self.shortestPause
    private static let shortestPause: Int64 = 5_000_000
    private static let longestPause: Int64 = 200_000_000

    init(_ log: SystemLog) {
        self.log = log
    }

    /// How many lines there was no room for since the start.
    var lost: UInt64 { queue.lost }

    /// Adds a line.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - level: its syslog level.
    ///   - losses: how many lost lines it tells of.
    @inline(never)  // called for in many places
    mutating func add(_ line: LogLine, level: Int32, losses: UInt32 = 0) {
        log.copy(line)
        queue.append(line, level: level, losses: losses)
    }

    /// Delivers what waits, as far as the system log takes it, unless it is to be left alone.
    @inline(never)
    mutating func deliver() {
        if let due = retryDue, Timestamp.now() < due { return }
        retryDue = nil
        while queue.count > 0 {
            if !log.write(queue.head.line, level: queue.head.level) {
                retryDue = .fromNow(retryPause)
                retryPause = min(2 * retryPause, Self.longestPause)
                return
            }
            retryPause = Self.shortestPause
            queue.removeHead()
        }
    }

    /// Tries again at the next ``deliver()``.
    mutating func retryAtOnce() {
        retryDue = nil
    }

    /// Whether nothing is left that is worth waiting for: lines that are only good to know are not, once they were tried.
    var isDone: Bool {
        queue.countOfConsequence == 0 && retryDue != nil || queue.count == 0
    }

    /// Says on standard error what is lost if we end now. Nobody may listen.
    ///
    /// - Returns: whether nothing is.
    mutating func tellLeftovers() -> Bool {
        let lost = queue.countOfConsequence
        if lost == 0 { return true }
        while queue.count > 0 {
            if !log.copiesLines { complain(queue.head.line) }
            queue.removeHead()
        }
        complain(.lost(UInt64(lost)))
        return false
    }
}
