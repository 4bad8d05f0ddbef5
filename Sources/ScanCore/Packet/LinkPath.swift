/// The way that a packet came to the host, as far as its frame tells: fragments of one packet come the same way.
///
/// A host takes no frame of a VLAN or session that it is not in: what it drops must not get into a packet that it takes.
public struct LinkPath: Equatable, Sendable {
    /// The number of the interface, 0 if it is not known.
    public var interface: Int32
    /// The numbers of the VLANs that the frame is tagged for, the innermost in the low 12 bits, the one around it in the
    /// next 12; 0 for an untagged frame. A tag with the number 0 has a priority only, and tags for no VLAN (IEEE 802.1Q).
    public var vlans: UInt32 = 0
    /// The session of PPPoE (RFC 2516), 0 for none.
    public var session: UInt16 = 0
    /// What the labels of MPLS (RFC 3032) and the groups of Cisco TrustSec come to that the frame is marked with, 0 for none.
    public var mark: UInt16 = 0
    /// Whether the host was sending it, as far as that is known.
    public var isOutgoing = false

    /// An untagged frame from an interface.
    public init(interface: Int32 = 0) {
        self.interface = interface
    }

    /// Takes note of a tag, the outermost first: its 16 bits behind the type that announces it.
    public mutating func enterTag(_ control: UInt16) {
        let number = control & 0xfff
        if number != 0 { vlans = vlans << 12 | UInt32(number) }  // of more than two the outermost is lost
    }

    /// Takes note of a label, or of a group.
    public mutating func enterMark(_ number: UInt32) {
        // Wrapping is meant: others may come to the same.
        mark = max(mark &* 31 &+ UInt16(truncatingIfNeeded: number), 1)
    }
}
