import CLinux
import ScanCore

/// Lines queued for the system log, each with its event, in order of arrival: a bounded number, in memory that is only touched as far as the
/// queue is filled.
@safe @usableFromInline package struct LogQueue: ~Copyable {
    /// A line, its syslog level, and the event that it is about.
    @usableFromInline package struct Item {
        package let level: Int32
        package let line: LogLine
        package let event: Event
    }

    /// The maximum number of queued lines.
    package static let capacity = 256

    @usableFromInline let items: UnsafeMutableBufferPointer<Item>
    private var first = 0
    package private(set) var count = 0

    /// The number of lines dropped since the start because the queue was full.
    package private(set) var lost: UInt64 = 0
    /// The number of those that have not been reported yet.
    private var unreported: UInt64 = 0
    private var stamps: EventStamps

    /// - Parameter run: a random number, by which the events are told from those of other runs.
    package init(run: UInt32) {
        stamps = EventStamps(run: run)
        unsafe items = .allocate(capacity: LogQueue.capacity)
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe items.deallocate()
    }

    /// Appends a line; if there is no room it is dropped and counted, and the number of its event is missing.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - content: what it is about.
    ///   - level: its syslog level.
    ///   - losses: how many lost lines it reports, which stay unreported if it is dropped.
    ///   - most: how many lines may wait for it not to be dropped.
    package mutating func append(
        _ line: LogLine, _ content: EventContent = .fault, level: Int32, losses: UInt32,
        atMost most: Int = LogQueue.capacity
    ) {
        stamps.skip(losses)
        let event = Event(stamps.next(at: realTime()), content)
        if count >= most {
            lost += losses == 0 ? 1 : 0
            unreported += UInt64(max(losses, 1))
            return
        }
        put(Item(level: level, line: line, event: event))
    }

    /// The line that has waited longest; there must be one.
    package var head: Item {
        precondition(count > 0)
        return unsafe items[first]
    }

    /// Removes that line. If lines were lost, one that reports their number is appended in its place.
    package mutating func removeHead() {
        count -= 1
        first = count == 0 ? 0 : (first + 1) % LogQueue.capacity  // reuse the same memory when the queue is empty
        if unreported > 0 {
            let event = Event(stamps.next(at: realTime()), .fault)
            put(Item(level: LOG_WARNING, line: .lost(unreported), event: event))
            unreported = 0
        }
    }

    /// The number of queued lines more severe than level info.
    package var countOfConsequence: Int {
        var found = 0
        for index in 0..<count where unsafe items[(first + index) % LogQueue.capacity].level < LOG_INFO { found += 1 }
        return found
    }

    private mutating func put(_ item: Item) {
        unsafe items.initializeElement(at: (first + count) % LogQueue.capacity, to: item)
        count += 1
    }
}

extension LogLine {
    /// The line that reports how many lines were lost.
    package static func lost(_ count: UInt64) -> LogLine {
        var line = LogLine("log lines lost: ")
        line.append(decimal: count)
        line.append(": the system log took none for too long")
        return line
    }
}
