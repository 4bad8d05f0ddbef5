import CLinux
import ScanCore

/// Lines on their way to the system log: each is kept until it has arrived, as long as there is room.
package struct LogDelivery: ~Copyable {
    private var log: SystemLog
    private var queue = LogQueue()

    /// When to try again to deliver what waits; `nil`: at once.
    package private(set) var retryDue: Timestamp?

    /// Whether the log did not take the line that was tried last.
    private var wasRefused = false

    /// How long the system log is left alone when nobody listened there, in nanoseconds: ever longer, up to a bound.
    private var retryPause = Self.shortestPause
    private static let shortestPause: Int64 = 5_000_000
    private static let longestPause: Int64 = 200_000_000

    /// How long lines may be delivered until it is looked what else there is to do, in nanoseconds.
    private static let turn: Int64 = 250_000_000

    package init(_ log: SystemLog) {
        self.log = log
    }

    /// How many lines there was no room for since the start.
    package var lost: UInt64 { queue.lost }

    /// Adds a line.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - level: its syslog level.
    ///   - losses: how many lost lines it tells of.
    @inline(never)  // called for in many places
    package mutating func add(_ line: LogLine, level: Int32, losses: UInt32 = 0) {
        log.copy(line)
        queue.append(line, level: level, losses: losses)
    }

    /// Delivers what waits, as far as the system log takes it, unless it is to be left alone. It takes less than a second,
    /// for signals and the sensor must not wait behind a full log.
    @inline(never)
    package mutating func deliver() {
        if let due = retryDue, Timestamp.now() < due { return }
        retryDue = nil
        wasRefused = false
        let end = Timestamp.fromNow(Self.turn)
        while queue.count > 0 {
            switch log.write(queue.head.line, level: queue.head.level) {
            case .arrived:
                retryPause = Self.shortestPause
                queue.removeHead()
                if queue.count == 0 || Timestamp.now() < end { continue }
                retryDue = .now()
            case .full:
                wasRefused = true
                retryDue = .now()  // we have waited
            case .absent:
                wasRefused = true
                retryDue = .fromNow(retryPause)
                retryPause = min(2 * retryPause, Self.longestPause)
            }
            return
        }
    }

    /// Tries again at the next ``deliver()``.
    package mutating func retryAtOnce() {
        retryDue = nil
        wasRefused = false
    }

    /// Whether nothing is left that is worth waiting for: lines that are only good to know are not, once they were tried.
    package var isDone: Bool {
        queue.countOfConsequence == 0 && wasRefused || queue.count == 0
    }

    /// Says on standard error what is lost if we end now. Nobody may listen.
    ///
    /// - Returns: whether nothing is.
    package mutating func printUndelivered() -> Bool {
        let lost = queue.countOfConsequence
        if lost == 0 { return true }
        while queue.count > 0 {
            if !log.copiesLines { warn(queue.head.line) }
            queue.removeHead()
        }
        warn(.lost(UInt64(lost)))
        return false
    }
}
