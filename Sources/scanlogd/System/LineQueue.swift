import CLinux
import ScanCore

/// Lines that wait for the system log, in the order they came: a bounded number, in memory that is only touched as far
/// as lines wait.
@safe struct LineQueue: ~Copyable {
    /// A line and its syslog level.
    struct Item {
        let level: Int32
        let line: LogLine
    }

    /// The most lines that wait.
    static let capacity = 256

    private let items: UnsafeMutableBufferPointer<Item>
    private var first = 0
    private(set) var count = 0

    /// How many lines there was no room for since the start.
    private(set) var lost: UInt64 = 0
    /// How many of them no line has told of yet.
    private var untold: UInt64 = 0

    init() {
        unsafe items = .allocate(capacity: LineQueue.capacity)
    }

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
    mutating func append(_ line: LogLine, level: Int32, losses: UInt32) {
        if count == LineQueue.capacity {
            lost += losses == 0 ? 1 : 0
            untold += UInt64(max(losses, 1))
            return
        }
        put(Item(level: level, line: line))
    }

    /// The line that has waited for the longest time; there must be one.
    var head: Item {
        precondition(count > 0)
        return unsafe items[first]
    }

    /// Takes that line off. In its place, at the end, one may say how many were lost.
    @inline(never)
    mutating func removeHead() {
        count -= 1
        first = count == 0 ? 0 : (first + 1) % LineQueue.capacity  // the same memory again, if that will do
        if untold > 0 {
            put(Item(level: LOG_WARNING, line: .lost(untold)))
            untold = 0
        }
    }

    /// How many lines wait that are more than good to know.
    var countOfConsequence: Int {
        var found = 0
        for index in 0..<count where unsafe items[(first + index) % LineQueue.capacity].level < LOG_INFO { found += 1 }
        return found
    }

    private mutating func put(_ item: Item) {
        unsafe items.initializeElement(at: (first + count) % LineQueue.capacity, to: item)
        count += 1
    }
}
