/// Detects duplicates of captured packets. A capture on several interfaces sees a bridged or forwarded packet once on
/// each, and a packet of a bond or a VLAN there and on the underlying interface.
///
/// A copy has the ``PacketIdentity`` of a packet captured at most ``Parameters/copyWindow`` ago, and comes from another
/// interface, or from the same one in the other direction. A repeat on the same interface and in the same direction is
/// a retransmission, not a copy. An attacker can't hide packets this way: a forged copy has the addresses, ports and
/// sequence numbers of a packet that has just been reported.
///
/// Memory is fixed: one slot for each of `capacity` packets, a power of two. The keyed hash of a packet selects its
/// slot, and the new packet replaces the one there, so the work is one cache line whatever arrives. A copy of a
/// replaced packet is reported once more; nothing is lost. An all-zero value is the empty state, if the key is zero
/// too.
public struct PacketCopies<let capacity: Int>: ~Copyable {
    private var packets = InlineArray<capacity, SightedPacket>(repeating: SightedPacket())
    private var key: HashKey

    /// Creates an empty state. The key must be secret, or an attacker can evict chosen packets.
    public init(key: HashKey) {
        self.key = key
    }

    /// Sets the key of an all-zero value.
    public mutating func start(key: HashKey) {
        self.key = key
    }

    /// Whether a packet, which begins with its IP header, is a copy of a recorded one. If not, it is recorded.
    ///
    /// - Parameters:
    ///   - packet: the packet, possibly truncated. One that does not hold its ports is never a copy.
    ///   - path: the link it came over. If the interface is not known, nothing is a copy.
    ///   - now: when it arrived. A clock that goes back yields no copies.
    public mutating func isCopy(_ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp) -> Bool {
        let point = SightedPacket.point(path)
        if point == 0 { return false }
        do throws(PacketFault) {
            let identity = try PacketIdentity(packet: packet)
            let index = Int(identity.hash(key)) & (capacity - 1)
            if packets[index].hasCopy(identity, at: point, now) { return true }
            packets[index] = SightedPacket(identity, at: point, now)
            return false
        } catch {
            return false
        }
    }
}

/// A recorded packet, with its observation point and time: 64 bytes.
struct SightedPacket: Sendable {
    private var identity = PacketIdentity()
    private var point: UInt32 = 0
    private var time = Timestamp(nanoseconds: 0)

    /// An unused slot.
    init() {}

    init(_ identity: PacketIdentity, at point: UInt32, _ time: Timestamp) {
        self.identity = identity
        self.point = point
        self.time = time
    }

    /// The observation point of a packet (RFC 7011, section 2) as a number: the interface, and in the highest bit the
    /// direction; 0 if the interface is not known.
    static func point(_ path: LinkPath) -> UInt32 {
        let interface = UInt32(bitPattern: path.interface) & 0x7fff_ffff  // interface indexes of Linux are positive
        return interface == 0 ? 0 : interface | (path.isOutgoing ? 1 << 31 : 0)
    }

    /// Whether a packet captured at a point and a time is a copy of this one.
    func hasCopy(_ other: PacketIdentity, at point: UInt32, _ now: Timestamp) -> Bool {
        self.point != 0 && self.point != point && identity == other && now.isWithin(Parameters.copyWindow, after: time)
    }
}
