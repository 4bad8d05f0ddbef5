import CLinux
import ScanCore

/// Delivers lines to the system log: each is queued until it has been delivered, as long as there is room.
package struct LogDelivery: ~Copyable {
    private var log: SystemLog
    private var queue: LogQueue
    /// Whether the line at the head of the queue has been delivered, and its event has not.
    private var isEventLeft = false

    /// When to retry the delivery of queued lines; `nil`: at once.
    package private(set) var retryDue: Timestamp?

    /// Whether the last attempt to deliver a line failed.
    private var wasRefused = false

    /// The pause before the next retry when no system log is running, in nanoseconds: it doubles up to a bound.
    private var retryPause = Self.shortestPause
    private static let shortestPause: Int64 = 5_000_000
    private static let longestPause: Int64 = 200_000_000

    /// The maximum time of a delivery before control returns to the event loop, in nanoseconds.
    private static let turn: Int64 = 250_000_000

    /// - Parameter run: a random number, by which the events are told from those of other runs.
    package init(_ log: SystemLog, run: UInt32) {
        self.log = log
        queue = LogQueue(run: run)
    }

    /// The number of lines dropped since the start because the queue was full.
    package var lost: UInt64 { queue.lost }

    /// Adds a line.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - content: what it is about.
    ///   - level: its syslog level.
    ///   - losses: how many lost lines it reports.
    @inline(never)  // many call sites
    package mutating func add(
        _ line: LogLine, _ content: EventContent = .fault, level: Int32, losses: UInt32 = 0
    ) {
        log.copy(line)
        queue.append(line, content, level: level, losses: losses)
    }

    /// Adds an event that has no line, if that leaves room for lines: there may be many of them.
    package mutating func add(eventOnly content: EventContent, level: Int32) {
        queue.append(LogLine(), content, level: level, losses: 0, atMost: LogQueue.capacity / 2)
    }

    /// Delivers queued lines, as far as the system log accepts them, unless a retry is not due yet. It takes less than
    /// a second, because signals and the sensor must not wait for a full log.
    package mutating func deliver() {
        if let due = retryDue, Timestamp.now() < due { return }
        retryDue = nil
        wasRefused = false
        let end = Timestamp.fromNow(Self.turn)
        while queue.count > 0 {
            switch writeHead() {
            case .arrived:
                retryPause = Self.shortestPause
                queue.removeHead()
                if queue.count == 0 || Timestamp.now() < end { continue }
                retryDue = .now()
            case .full:
                wasRefused = true
                retryDue = .now()  // the write has waited already
            case .absent:
                wasRefused = true
                retryDue = .fromNow(retryPause)
                retryPause = min(2 * retryPause, Self.longestPause)
            }
            return
        }
    }

    /// Writes the line at the head of the queue, then its event.
    private mutating func writeHead() -> SystemLog.Outcome {
        let head = queue.head
        if !isEventLeft && head.line.count > 0 {
            let outcome = log.write(head)
            if outcome != .arrived || !log.form.hasEvents { return outcome }
            isEventLeft = true
        }
        let outcome = log.write(eventOf: head)
        if outcome == .arrived { isEventLeft = false }
        return outcome
    }

    /// Tries again at the next ``deliver()``.
    package mutating func retryAtOnce() {
        retryDue = nil
        wasRefused = false
    }

    /// Whether no line is left that is worth waiting for: informational lines are not, once one attempt has failed.
    package var isDone: Bool {
        queue.countOfConsequence == 0 && wasRefused || queue.count == 0
    }

    /// Prints the lines that are lost if the process ends now to standard error, which may have no reader.
    ///
    /// - Returns: whether no line of consequence is lost.
    package mutating func printUndelivered() -> Bool {
        let lost = queue.countOfConsequence
        if lost == 0 { return true }
        while queue.count > 0 {
            if !log.copiesLines && queue.head.line.count > 0 { warn(queue.head.line) }
            queue.removeHead()
        }
        warn(.lost(UInt64(lost)))
        return false
    }
}
