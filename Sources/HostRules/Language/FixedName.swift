/// A name of a host, a user or a daemon, in fixed memory.
public struct FixedName: Sendable {
    /// The most bytes of a name: what the domain name system allows for one (RFC 1035, section 2.3.4).
    public static let capacity = 255

    private var bytes = InlineArray<256, UInt8>(repeating: 0)
    private var count = 0

    /// The name of some bytes, which are 1 to ``capacity``; else `nil`.
    public init?(_ name: Span<UInt8>) {
        if name.isEmpty || name.count > Self.capacity { return nil }
        append(name)
    }

    /// A name of constant text, short enough.
    init(_ text: String) {
        append(text.utf8Span.span)
    }

    mutating func append(_ name: Span<UInt8>) {
        for index in name.indices { bytes[index] = name[index] }
        count = name.count
    }

    /// Lends the bytes of the name.
    @inline(__always)
    public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(bytes.span.extracting(0..<count))
    }
}
