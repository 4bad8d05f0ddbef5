/// A few networks, in fixed memory. All zero is the empty list.
public struct NetworkList: Sendable {
    /// The most networks it holds.
    public static let capacity = 16

    private var networks = InlineArray<16, Network>(repeating: Network())
    /// The number of networks.
    public private(set) var count = 0

    /// An empty list.
    public init() {}

    /// Adds a network: the addresses that share the first bits with one.
    ///
    /// - Parameters:
    ///   - address: any address of the network.
    ///   - prefixLength: how many bits are shared: 0 to 32 for IPv4, 0 to 128 for IPv6.
    /// - Returns: whether there was room, and the length is valid.
    public mutating func append(_ address: Address, prefixLength: UInt8) -> Bool {
        if count == NetworkList.capacity || prefixLength > (address.isIPv4 ? 32 : 128) { return false }
        networks[count] = Network(address, prefixLength: prefixLength)
        count += 1
        return true
    }

    /// Whether an address belongs to one of them.
    public func contains(_ address: Address) -> Bool {
        for index in 0..<count where networks[index].contains(address) { return true }
        return false
    }
}

/// The addresses that share the first bits of one. All zero is not in use.
private struct Network: Sendable {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private var highMask: UInt64 = 0
    private var lowMask: UInt64 = 0
    private var isIPv4 = false

    init() {}

    init(_ address: Address, prefixLength: UInt8) {
        let bits = address.isIPv4 ? UInt64(prefixLength) + 96 : UInt64(prefixLength)
        highMask = Network.mask(min(bits, 64))
        lowMask = Network.mask(bits > 64 ? bits - 64 : 0)
        isIPv4 = address.isIPv4
        high = address.high & highMask
        low = address.low & lowMask
    }

    /// The upper bits of a number, 0 to 64 of them.
    private static func mask(_ bits: UInt64) -> UInt64 { bits == 0 ? 0 : ~0 << (64 - bits) }

    func contains(_ address: Address) -> Bool {
        address.isIPv4 == isIPv4 && address.high & highMask == high && address.low & lowMask == low
    }
}
