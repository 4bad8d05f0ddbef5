import ScanCore

extension RingPacket {
    /// What a packet begins with, as a type of Ethernet: its protocol, or a VLAN tag that the kernel left in place.
    ///
    /// The kernel takes off one tag. If there are more, Linux before 6.10 says that a tag follows; later ones give the
    /// protocol behind all tags, and nothing tells that there are any. So a packet that isn't what it is said to be
    /// begins with a tag.
    ///
    /// - Parameter payload: the bytes of the packet that were kept.
    /// - Throws: ``PacketFault/truncated``.
    func beginning(of payload: Span<UInt8>) throws(PacketFault) -> UInt16 {
        if !isTagged { return etherType }
        let version = try payload.uint8(at: 0) >> 4
        let isWhatItIsSaidToBe: Bool
        switch etherType {
        // A tag may look like the version: then the first bytes of what it tags stand where the length would be.
        case 0x0800:
            let totalLength = Int(try payload.uint16(at: 2))
            isWhatItIsSaidToBe = version == 4 && totalLength <= length
        case 0x86dd:
            let payloadLength = Int(try payload.uint16(at: 4))
            isWhatItIsSaidToBe = version == 6 && 40 + payloadLength <= length
        case 0x8864:
            let versionTypeAndCode = try payload.uint16(at: 0)
            isWhatItIsSaidToBe = versionTypeAndCode == 0x1100
        default:
            isWhatItIsSaidToBe = true
        }
        return isWhatItIsSaidToBe ? etherType : 0x8100
    }
}
