/// Reassembles the beginnings of fragmented packets, as far as the TCP header (RFC 791, RFC 815; RFC 8200, section
/// 4.5).
///
/// Memory is fixed: `capacity` packets in sets of `setSize`, whose number is a power of two. A fragment is looked up in
/// one set only, and 64 bytes of it at most are read, so the work for it is bounded, whatever arrives. In a full set
/// the packet that has waited longest is evicted.
///
/// Fragments are reassembled as in Linux, so that a sensor and its host see the same packet. A duplicate, which adds no
/// new bytes, is ignored: the first copy counts. A fragment that overlaps others and also adds bytes is an attack (RFC
/// 5722): Linux drops the packet. Here the probe is still returned if the fragment completes it, from the bytes that
/// arrived first; then the packet is dropped too, and later fragments belong to a new packet. The same applies to a
/// completed packet: repeated fragments start a new one. If Linux drops a packet because of bytes past its first 64,
/// that goes unnoticed here.
public struct Defragmenter<let capacity: Int, let setSize: Int>: ~Copyable {
    private var packets = InlineArray<capacity, ReassemblyBuffer>(repeating: ReassemblyBuffer())
    private var key: HashKey

    /// The number of packets evicted while they waited for fragments, since the start.
    public private(set) var evicted: UInt64 = 0

    /// Creates an empty defragmenter. The key must be secret, or an attacker can evict chosen packets.
    public init(key: HashKey) {
        self.key = key
    }

    /// Sets the key of an all-zero value, which is an empty defragmenter.
    mutating func start(key: HashKey) {
        self.key = key
    }

    /// Adds a fragment to the earlier ones of its packet.
    ///
    /// The probe has the type of service and the time to live of the fragment with offset 0.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - packet: the packet that holds the fragment.
    ///   - now: when it arrived. A clock that goes back discards waiting packets, and revives none.
    /// - Returns: the probe of the packet if the fragment completes its TCP header, or `nil`.
    /// - Throws: ``PacketFault/fragment`` for a fragment that begins past the header, and so adds nothing; and the
    ///   fault of the fragment, or of the packet that it completes.
    mutating func join(
        _ fragment: Fragment, of packet: Span<UInt8>, at now: Timestamp
    ) throws(PacketFault) -> Probe? {
        // With IPv4 nothing precedes the TCP header.
        let window = fragment.name.source.isIPv4 ? TCPHeader.length : ReassemblyBuffer.window
        if fragment.offset >= window { throw .fragment }
        let index = place(of: fragment, at: now)
        return try packets[index].add(fragment, of: packet)
    }

    /// The index of the packet of a fragment; a new one is created if there is none.
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
        if free == nil { evicted &+= 1 }  // wrapping is better than a trap that ends the daemon
        let index = free ?? oldest
        packets[index] = ReassemblyBuffer(fragment.name, at: now)
        return index
    }
}
