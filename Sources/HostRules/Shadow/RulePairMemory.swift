/// Memory for what is remembered of the rules of a file, which the caller lends, as this library has no heap.
public protocol RulePairMemory: ~Copyable {
    /// How many slots there are: a power of two.
    var count: Int { get }

    /// One of the slots, from 0 on. All are ``RulePairSlot/init()`` at first.
    subscript(index: Int) -> RulePairSlot { get set }

    /// Twice as many slots, all of them as at first; `nil`: there is no such memory.
    mutating func doubled() -> Self?
}

/// A slot of ``RulePairMemory``. All bytes zero are a free one.
public struct RulePairSlot: BitwiseCopyable, Sendable {
    /// Of a rule, or of a daemon and a client that it names.
    var fingerprint: UInt64 = 0
    /// The line of the rule; 0: the slot is free.
    var line: UInt32 = 0
    /// Whether the rule leaves nothing that it matches to the next file.
    var decides = false

    /// A free one.
    public init() {}

    init(_ fingerprint: UInt64, line: UInt32, decides: Bool) {
        self.fingerprint = fingerprint
        self.line = line
        self.decides = decides
    }
}
