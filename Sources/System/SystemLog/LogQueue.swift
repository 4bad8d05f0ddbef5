import CLinux
import ScanCore

/// Lines that wait for the system log, in the order they came: a bounded number, in memory that is only touched as far
/// as lines wait.
@safe @usableFromInline package struct LogQueue: ~Copyable {
    /// A line and its syslog level.
    @usableFromInline package struct Item {
        package let level: Int32
        package let line: LogLine
    }

    /// The most lines that wait.
    package static let capacity = 256

    @usableFromInline let items: UnsafeMutableBufferPointer<Item>
    private var first = 0
    package private(set) var count = 0

    /// How many lines there was no room for since the start.
    package private(set) var lost: UInt64 = 0
    /// How many of them no line has told of yet.
    private var unreported: UInt64 = 0

    package init() {
        unsafe items = .allocate(capacity: LogQueue.capacity)
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe items.deallocate()
    }

    /// Adds a line at the end; if there is no room it is lost, and counted.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - level: its syslog level.
    ///   - losses: how many lost lines it tells of, which must not be forgotten with it.
    @inline(never)
    package mutating func append(_ line: LogLine, level: Int32, losses: UInt32) {
        if count == LogQueue.capacity {
            lost += losses == 0 ? 1 : 0
            unreported += UInt64(max(losses, 1))
            return
        }
        put(Item(level: level, line: line))
    }

    /// The line that has waited for the longest time; there must be one.
    package var head: Item {
        precondition(count > 0)
        return unsafe items[first]
    }

    /// Takes that line off. In its place, at the end, one may say how many were lost.
    @inline(never)
    package mutating func removeHead() {
        count -= 1
        first = count == 0 ? 0 : (first + 1) % LogQueue.capacity  // the same memory again, if that will do
        if unreported > 0 {
            put(Item(level: LOG_WARNING, line: .lost(unreported)))
            unreported = 0
        }
    }

    /// How many lines wait that are more than good to know.
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
    /// The line that says how many others are missing.
    @inline(never)
    package static func lost(_ count: UInt64) -> LogLine {
        var line = LogLine("log lines lost: ")
        line.append(decimal: count)
        line.append(": the system log took none for too long")
        return line
    }
}
