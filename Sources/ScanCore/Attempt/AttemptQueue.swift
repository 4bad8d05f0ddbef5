/// The attempts that wait for names, in the order they came, in fixed memory.
///
/// All bytes zero are an empty queue. All that reads is mutating: otherwise the compiler makes a copy of the whole.
public struct AttemptQueue: ~Copyable {
    /// The most attempts that wait.
    public static let capacity = 4_096

    private struct Item {
        var attempt: Attempt
        var arrival: Timestamp
    }

    private var items = InlineArray<4_096, Item>(repeating: Item(attempt: .none, arrival: Timestamp(nanoseconds: 0)))
    private var first = 0

    /// How many attempts wait.
    public private(set) var count = 0

    /// An empty queue.
    init() {}

    /// Whether there is no room for another.
    public var isFull: Bool { count == AttemptQueue.capacity }

    /// Adds an attempt at the end, for which there must be room.
    @inline(never)
    public mutating func append(_ attempt: Attempt, at now: Timestamp) {
        precondition(!isFull)
        items[(first + count) % AttemptQueue.capacity] = Item(attempt: attempt, arrival: now)
        count += 1
    }

    /// The attempt that has waited for the longest time.
    public var head: Attempt? {
        mutating get { count == 0 ? nil : items[first].attempt }
    }

    /// When that one has waited for as long as a lookup may take.
    public var headDeadline: Timestamp? {
        mutating get {
            count == 0 ? nil : Timestamp(nanoseconds: items[first].arrival.nanoseconds + HostNameAnswer.patience)
        }
    }

    /// Takes that one off; there must be one.
    public mutating func removeHead() {
        precondition(count > 0)
        count -= 1
        first = count == 0 ? 0 : (first + 1) % AttemptQueue.capacity  // the same memory again, if that will do
    }
}

extension Attempt {
    /// What stands where there is none: all zero.
    fileprivate static var none: Attempt {
        let nobody = Address(ipv6High: 0, low: 0)
        return Attempt(source: nobody, destination: nobody, sourcePort: 0, destinationPort: 0, realTime: 0)
    }
}
