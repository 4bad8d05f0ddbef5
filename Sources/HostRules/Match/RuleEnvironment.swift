/// What rules need of the system, which this library does not touch: the caller gives it.
public protocol RuleEnvironment: ~Copyable {
    /// Lends the text of a pattern file to a function, before it returns; a file that can't be read is `false`.
    func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool

    /// Whether there is a user of a name.
    func hasUser(_ name: Span<UInt8>) -> Bool

    /// Whether there is a group of a name.
    func hasGroup(_ name: Span<UInt8>) -> Bool

    /// Whether there is a directory at a path.
    func hasDirectory(_ path: Span<UInt8>) -> Bool
}

/// For callers whose rules have no options that ask: nothing is known to be there.
extension RuleEnvironment where Self: ~Copyable {
    /// No.
    public func hasUser(_ name: Span<UInt8>) -> Bool { false }

    /// No.
    public func hasGroup(_ name: Span<UInt8>) -> Bool { false }

    /// No.
    public func hasDirectory(_ path: Span<UInt8>) -> Bool { false }
}
