/// What is remembered of the rules of a file, by which later ones are known that are never reached: each of them by
/// fingerprint, in memory that the caller lends, and those that may hide others that are not the same, in fixed memory of
/// about 70 KiB.
public struct EarlierRules<Memory: RulePairMemory & ~Copyable>: ~Copyable {
    var wide = ShadowIndex()
    var pairs: RulePairTable<Memory>

    /// No rules.
    public init(_ memory: consuming Memory) {
        pairs = RulePairTable(memory)
    }

    /// Lends the memory, as it is now.
    public mutating func withMemory<Result>(_ body: (borrowing Memory) -> Result) -> Result {
        body(pairs.memory)
    }
}
