/// The ports from which hosts opened connections, with the host at the other end: so that a reset sent from such a port
/// is known to belong to a connection, and to be no answer to a scan.
///
/// Sets of four places, of which the oldest is replaced if none is free. All zero is the empty table; `setCount` is a power of two.
struct ClientPorts<let setCount: Int>: ~Copyable {
    /// The upper half of a hash, never 0; 0 in a free place. The youngest first, the free ones last.
    var sets = InlineArray<setCount, InlineArray<32, UInt32>>(repeating: InlineArray<32, UInt32>(repeating: 0))

    init() {}

    private struct Place {
        var set: Int
        var first: Int
        var tag: UInt32
    }

    private func place(_ client: UInt32, _ port: UInt16, _ peer: Address, _ key: HashKey) -> Place {
        let number = UInt64(client) << 32 | UInt64(key.hash(peer, salt: UInt32(port)))
        let hash = HashKey.permute(number)
        let place = Int(hash) & (setCount * 8 - 1)
        return Place(set: place >> 3, first: (place & 7) * 4, tag: HashKey.permute(number ^ 0xff) | 1)
    }

    /// Records that a host opened a connection.
    mutating func insert(_ client: Address, port: UInt16, peer: Address, _ key: HashKey) {
        insert(hash: key.hash(client), port: port, peer: peer, key)
    }

    /// The same, by the hash of the host's address.
    mutating func insert(hash client: UInt32, port: UInt16, peer: Address, _ key: HashKey) {
        let place = place(client, port, peer, key)
        var previous = place.tag
        for number in place.first..<place.first + 4 {
            let this = sets[place.set][number]
            sets[place.set][number] = previous
            if this == place.tag { return }
            previous = this
        }
    }

    /// Records that a port is none of a client: its host accepts connections there.
    mutating func remove(_ client: Address, port: UInt16, peer: Address, _ key: HashKey) {
        let place = place(key.hash(client), port, peer, key)
        var kept = place.first
        for number in place.first..<place.first + 4 {
            let this = sets[place.set][number]
            sets[place.set][number] = 0
            if this == place.tag { continue }
            sets[place.set][kept] = this
            kept += 1
        }
    }

    /// Whether a host opened a connection from a port to a peer.
    mutating func contains(_ client: Address, port: UInt16, peer: Address, _ key: HashKey) -> Bool {
        let place = place(key.hash(client), port, peer, key)
        for number in place.first..<place.first + 4 where sets[place.set][number] == place.tag { return true }
        return false
    }
}
