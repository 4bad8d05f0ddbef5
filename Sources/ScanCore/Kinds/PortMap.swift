/// A set of ports, in 8 KiB of fixed memory. All zero is the empty set.
///
/// ``contains(_:)`` is mutating, though it changes nothing: otherwise the compiler (Swift 6.3) copies the whole set.
public struct PortMap: Sendable {
    private var words = InlineArray<1024, UInt64>(repeating: 0)

    /// The empty set.
    public init() {}

    /// Adds a port, in host byte order.
    public mutating func insert(_ port: UInt16) {
        words[PortMap.index(of: port)] |= PortMap.bit(of: port)
    }

    /// Removes all ports.
    public mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    /// Whether a port, in host byte order, is in the set.
    public mutating func contains(_ port: UInt16) -> Bool {
        words[PortMap.index(of: port)] & PortMap.bit(of: port) != 0
    }

    private static func index(of port: UInt16) -> Int { Int(port >> 6) }

    private static func bit(of port: UInt16) -> UInt64 { 1 << UInt64(port & 63) }
}
