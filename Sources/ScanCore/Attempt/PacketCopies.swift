/// Tells the copies of a packet from other packets: who captures from several interfaces gets a packet that is bridged or
/// forwarded from each that it passes, and one of a bond or a VLAN from that and from what is below it.
///
/// A copy has the ``PacketIdentity`` of a packet that was taken not longer ago than ``Parameters/copyWindow``, and comes
/// from another interface, or from the same one in the other direction. What comes again from the same is none: somebody
/// sent it again. Nothing can be hidden so: who forges a copy forges the addresses, ports and numbers of a packet that has
/// just been told of.
///
/// Memory is fixed: a place for each of `capacity` packets, a power of two. Its keyed hash chooses a packet's place, where
/// the one before makes room, so the work is one line of cache whatever arrives. A copy of what had to make room is told of
/// once more, and nothing is lost. All bytes zero is the state in which nothing is known, if the key is zero too.
public struct PacketCopies<let capacity: Int>: ~Copyable {
    private var packets = InlineArray<capacity, SightedPacket>(repeating: SightedPacket())
    private var key: HashKey

    /// Nothing is known yet. The key must be secret, or packets can be made to put others out.
    public init(key: HashKey) {
        self.key = key
    }

    /// Gives its key to one in memory that is all zero.
    public mutating func start(key: HashKey) {
        self.key = key
    }

    /// Whether a packet, which begins with its IP header, is a copy of one that was taken. If not, it is taken.
    ///
    /// - Parameters:
    ///   - packet: the packet, cut off anywhere. One whose ports are not in it is never a copy.
    ///   - path: how it came. Where the interface is not known, nothing is a copy.
    ///   - now: when it came. A clock that goes back makes no copies.
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

/// A packet that was taken, where and when: 64 bytes.
struct SightedPacket: Sendable {
    private var identity = PacketIdentity()
    private var point: UInt32 = 0
    private var time = Timestamp(nanoseconds: 0)

    /// None.
    init() {}

    init(_ identity: PacketIdentity, at point: UInt32, _ time: Timestamp) {
        self.identity = identity
        self.point = point
        self.time = time
    }

    /// Where a packet was captured (RFC 7011, section 2: observation point), as a number: the interface, and in the highest
    /// bit the direction; 0 if the interface is not known.
    static func point(_ path: LinkPath) -> UInt32 {
        let interface = UInt32(bitPattern: path.interface) & 0x7fff_ffff  // no number of Linux's is negative
        return interface == 0 ? 0 : interface | (path.isOutgoing ? 1 << 31 : 0)
    }

    /// Whether what was captured at a point and a time is a copy of it.
    func hasCopy(_ other: PacketIdentity, at point: UInt32, _ now: Timestamp) -> Bool {
        self.point != 0 && self.point != point && identity == other && now.isWithin(Parameters.copyWindow, after: time)
    }
}
