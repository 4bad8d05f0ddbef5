/// Puts the beginnings of fragmented packets together: as much as it takes to see their TCP headers (RFC 791, RFC 815;
/// RFC 8200, section 4.5).
///
/// Memory is fixed: `capacity` packets in sets of `setSize`, whose number is a power of two. A fragment is looked for in
/// one set only, and 64 bytes of it at most are read, so the work for it is bounded, whatever arrives. In a full set the
/// packet that has waited longest makes room.
///
/// Fragments are joined as Linux joins them, so that a sensor and its host see the same packet. One that brings nothing
/// new is left out: what came first counts. One that overlaps others and brings more as well is an attack (RFC 5722):
/// Linux gives the packet up. Here its probe is still told if that makes it whole, from the bytes that came first; then
/// it is given up too, and what comes later is another packet's. Likewise a packet that was told: the same again is
/// another. What makes Linux give up a packet and lies past its first 64 bytes is not seen.
public struct Defragmenter<let capacity: Int, let setSize: Int>: ~Copyable {
    private var packets = InlineArray<capacity, ReassemblyBuffer>(repeating: ReassemblyBuffer())
    private var key: HashKey

    /// How many packets had to make room for others while they waited for fragments, since the start.
    public private(set) var evicted: UInt64 = 0

    /// A defragmenter that knows no packet yet. The key must be secret, or fragments can be made to put others out.
    public init(key: HashKey) {
        self.key = key
    }

    /// Gives its key to one in memory that is all zero, which is one that knows no packet yet.
    mutating func start(key: HashKey) {
        self.key = key
    }

    /// Joins a fragment to those that came before.
    ///
    /// The probe has the type of service and the time to live of the fragment with offset 0.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - packet: what it was read from.
    ///   - now: when it arrived. A clock that goes back loses what was waiting, and revives nothing.
    /// - Returns: the probe of the packet, with the fragment that makes its TCP header whole, or `nil`.
    /// - Throws: ``PacketFault/fragment`` for one that can't add anything, as it begins past the header; and what is
    ///   wrong with the fragment, or with the packet it completes.
    mutating func join(
        _ fragment: Fragment, of packet: Span<UInt8>, at now: Timestamp
    ) throws(PacketFault) -> Probe? {
        // With IPv4 nothing stands before the TCP header.
        let window = fragment.name.source.isIPv4 ? TCPHeader.length : ReassemblyBuffer.window
        if fragment.offset >= window { throw .fragment }
        let index = place(of: fragment, at: now)
        return try packets[index].add(fragment, of: packet)
    }

    /// Where the packet of a fragment is; if nowhere, room is made for it.
    private mutating func place(of fragment: Fragment, at now: Timestamp) -> Int {
        let set = (Int(fragment.name.hash(key)) & (capacity / setSize - 1)) * setSize
        var oldest = set
        var free: Int?
        var found: Int?
        for index in set..<set + setSize {
            packets[index].expire(at: now)
            if !packets[index].isWaiting {
                free = index
            } else if packets[index].name == fragment.name {
                found = index
            } else if packets[index].begin < packets[oldest].begin {
                oldest = index
            }
        }
        if let found { return found }
        if free == nil { evicted &+= 1 }  // a counter that wraps is better than one that ends the daemon
        let index = free ?? oldest
        packets[index] = ReassemblyBuffer(fragment.name, at: now)
        return index
    }
}
