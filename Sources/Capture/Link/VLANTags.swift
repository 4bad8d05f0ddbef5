import CLinux
import ScanCore
import System

extension RingPacket {
    /// The position of the IP packet in the captured bytes, and the link it came over.
    ///
    /// The kernel removes one tag. If there are more, Linux before 6.10 gives the type of the next tag as the protocol;
    /// later ones give the protocol behind all tags: see ``PacketPlace/passHiddenTags(in:length:)``.
    ///
    /// - Throws: see ``LinkLayer/place(in:length:interface:)``.
    func place(in payload: Span<UInt8>) throws(PacketFault) -> PacketPlace {
        var place = PacketPlace(at: 0, LinkPath(interface: interface))
        place.path.isOutgoing = kind == UInt8(PACKET_OUTGOING)
        if isTagged { place.path.enterTag(tag) }
        try place.enter(etherType: try beginning(of: payload), in: payload, isCooked: true)
        try place.passHiddenTags(in: payload, length: length)
        return place
    }

    /// The type of what the packet begins with: its protocol, or a VLAN tag if there is no session header where one
    /// should be.
    private func beginning(of payload: Span<UInt8>) throws(PacketFault) -> UInt16 {
        if etherType != EtherType.pppoeSession { return etherType }
        return try payload.uint16(at: 0) == 0x1100 ? etherType : EtherType.customerTag
    }
}
