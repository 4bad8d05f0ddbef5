/// A set of up to 256 addresses, in fixed memory. All zero is the empty set.
///
/// Looking for one is mutating, though it changes nothing: otherwise the compiler (Swift 6.3) copies the whole set.
public struct AddressSet: Sendable {
    /// The most addresses it holds.
    public static let capacity = 256

    /// Twice as many places as addresses: an address is at the place that its hash selects, or in the ones behind,
    /// before any that is free.
    private var places = InlineArray<512, Place>(repeating: Place())

    /// The number of addresses.
    public private(set) var count = 0

    private struct Place: Sendable {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var isUsed = false
        var isIPv4 = false

        func holds(_ address: Address) -> Bool {
            high == address.high && low == address.low && isIPv4 == address.isIPv4
        }
    }

    /// The empty set.
    public init() {}

    /// Adds an address; returns whether there was room. The key must be the same for all calls.
    public mutating func insert(_ address: Address, _ key: HashKey) -> Bool {
        var index = AddressSet.start(key.hash(address))
        while places[index].isUsed {
            if places[index].holds(address) { return true }
            index = AddressSet.next(index)
        }
        if count == AddressSet.capacity { return false }
        places[index] = Place(high: address.high, low: address.low, isUsed: true, isIPv4: address.isIPv4)
        count += 1
        return true
    }

    /// Whether an address is in the set.
    public mutating func contains(_ address: Address, _ key: HashKey) -> Bool {
        contains(address, hash: key.hash(address))
    }

    /// The same, by its hash too.
    mutating func contains(_ address: Address, hash: UInt32) -> Bool {
        if count == 0 { return false }
        var index = AddressSet.start(hash)
        while places[index].isUsed {
            if places[index].holds(address) { return true }
            index = AddressSet.next(index)
        }
        return false
    }

    /// Passes each address to a function, in no order.
    public func forEach(_ body: (Address) -> Void) {
        let places = places.span
        for index in places.indices where places[index].isUsed {
            let place = places[index]
            body(
                place.isIPv4
                    ? Address(ipv4: UInt32(truncatingIfNeeded: place.low))
                    : Address(ipv6High: place.high, low: place.low))
        }
    }

    private static func start(_ hash: UInt32) -> Int { Int(hash >> 23) }

    private static func next(_ index: Int) -> Int { (index + 1) & 511 }
}
