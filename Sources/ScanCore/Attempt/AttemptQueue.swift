/// The attempts that wait for host names, in order of arrival, in fixed memory.
///
/// An all-zero value is an empty queue. Reading the items is mutating: otherwise the compiler copies the whole queue.
public struct AttemptQueue: ~Copyable {
    /// The maximum number of waiting attempts.
    public static let capacity = 4_096

    private struct Item {
        var attempt: Attempt
        var arrival: Timestamp
    }

    private var items = InlineArray<4_096, Item>(repeating: Item(attempt: .none, arrival: Timestamp(nanoseconds: 0)))
    private var first = 0

    /// The number of waiting attempts.
    public private(set) var count = 0

    /// An empty queue.
    init() {}

    /// Whether there is no room for another.
    public var isFull: Bool {
        mutating get { count == AttemptQueue.capacity }
    }

    /// Appends an attempt. There must be room for it.
    @inline(never)
    public mutating func append(_ attempt: Attempt, at now: Timestamp) {
        precondition(!isFull)
        items[(first + count) % AttemptQueue.capacity] = Item(attempt: attempt, arrival: now)
        count += 1
    }

    /// The attempt that has waited longest.
    public var head: Attempt? {
        mutating get { count == 0 ? nil : items[first].attempt }
    }

    /// When the lookup time of that attempt is over.
    public var headDeadline: Timestamp? {
        mutating get {
            count == 0 ? nil : Timestamp(nanoseconds: items[first].arrival.nanoseconds + HostNameAnswer.patience)
        }
    }

    /// Removes that attempt; there must be one.
    public mutating func removeHead() {
        precondition(count > 0)
        count -= 1
        first = count == 0 ? 0 : (first + 1) % AttemptQueue.capacity  // reuse the same memory when the queue is empty
    }
}

extension Attempt {
    /// The all-zero value of an unused item.
    fileprivate static var none: Attempt {
        let nobody = Address(ipv6High: 0, low: 0)
        return Attempt(source: nobody, destination: nobody, sourcePort: 0, destinationPort: 0, realTime: 0)
    }
}
