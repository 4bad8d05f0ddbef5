import CLinux
import ScanCore
import System

extension RingPacket {
    /// Where in the bytes that were kept of it its IP packet begins, and over which link it came.
    ///
    /// The kernel takes off one tag. If there are more, Linux before 6.10 says that a tag follows; later ones give the
    /// protocol behind all of them: see ``PacketPlace/passHiddenTags(in:length:)``.
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

    /// What a packet begins with: its protocol, or a VLAN tag before it where a session should be and isn't.
    private func beginning(of payload: Span<UInt8>) throws(PacketFault) -> UInt16 {
        if etherType != EtherType.pppoeSession { return etherType }
        return try payload.uint16(at: 0) == 0x1100 ? etherType : EtherType.customerTag
    }
}
