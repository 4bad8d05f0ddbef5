import ScanCore

/// What the host sends that tells what became of what others tried: a SYN-ACK, a reset, or an ICMP error that refuses.
///
/// Everything else that leaves is left out, or the host's own clients would look like others: its SYNs, its echo
/// requests, its data.
enum OwnAnswer {
    /// Of ICMP's messages of type 3, the codes that refuse: protocol, port; prohibited by network, by host, by filter
    /// (RFC 792, RFC 1812).
    static var codes: InlineArray<5, UInt8> { [2, 3, 9, 10, 13] }

    /// The types and codes of ICMPv6 that refuse: port, prohibited; next header (RFC 4443).
    static var codesIPv6: InlineArray<3, UInt16> { [0x0104, 0x0101, 0x0401] }

    /// Whether a packet, from its IP header on, is one. The host sends them without extension headers, and in one
    /// piece.
    static func isOne(_ packet: Span<UInt8>) -> Bool {
        do throws(PacketFault) {
            let isIPv4 = try packet.uint8(at: 0) >> 4 == 4
            if isIPv4, try packet.uint16(at: 6) & 0x3fff != 0 { return false }
            let offset = isIPv4 ? Int(try packet.uint8(at: 0) & 15) * 4 : 40
            switch (isIPv4, try packet.uint8(at: isIPv4 ? 9 : 6)) {
            case (_, IPProtocol.tcp): return isOne(TCPFlags(rawValue: try packet.uint8(at: offset + 13)))
            case (true, IPProtocol.icmp): return isOne(try packet.uint8(at: offset), try packet.uint8(at: offset + 1))
            case (false, IPProtocol.icmpv6): return isOne(try packet.uint16(at: offset))
            default: return false
            }
        } catch {
            return false
        }
    }

    private static func isOne(_ flags: TCPFlags) -> Bool {
        flags.containsAny(of: .rst) || flags.contains(.syn.union(.ack))
    }

    private static func isOne(_ type: UInt8, _ code: UInt8) -> Bool {
        let codes = codes
        for index in codes.indices where codes[index] == code { return type == 3 }
        return false
    }

    private static func isOne(_ typeAndCode: UInt16) -> Bool {
        let codes = codesIPv6
        for index in codes.indices where codes[index] == typeAndCode { return true }
        return false
    }
}
