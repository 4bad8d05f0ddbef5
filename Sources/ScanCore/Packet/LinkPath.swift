/// The link that a packet arrived over, as far as its frame shows: fragments of one packet arrive over the same link.
///
/// A host drops frames of VLANs and sessions that it is not in: these must not contribute to a packet that it accepts.
public struct LinkPath: Equatable, Sendable {
    /// The interface index, 0 if it is not known.
    public var interface: Int32
    /// The VLAN identifiers of the frame, the innermost in the low 12 bits, the one around it in the next 12; 0 for an
    /// untagged frame. A tag with identifier 0 is a priority tag, not of a VLAN (IEEE 802.1Q).
    public var vlans: UInt32 = 0
    /// The PPPoE session (RFC 2516), 0 for none.
    public var session: UInt16 = 0
    /// A hash of the MPLS labels (RFC 3032) and the Cisco TrustSec groups of the frame, 0 for none.
    public var mark: UInt16 = 0
    /// Whether the host sent it, as far as that is known.
    public var isOutgoing = false

    /// An untagged frame from an interface.
    public init(interface: Int32 = 0) {
        self.interface = interface
    }

    /// Adds a VLAN tag, the outermost first: the 16 bits after the type field.
    public mutating func enterTag(_ control: UInt16) {
        let number = control & 0xfff
        if number != 0 { vlans = vlans << 12 | UInt32(number) }  // of more than two the outermost is lost
    }

    /// Adds a label or a group.
    public mutating func enterMark(_ number: UInt32) {
        // Wrapping is intended: collisions are possible.
        mark = max(mark &* 31 &+ UInt16(truncatingIfNeeded: number), 1)
    }
}
