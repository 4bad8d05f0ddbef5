import ScanCore

/// What frames of a network begin with, before the IP packet (the LINKTYPE_ registry of tcpdump.org; libpcap's DLT_).
public struct LinkLayer: Equatable, Sendable {
    private let header: Header

    private enum Header {
        case none
        case ethernet
        case linuxCooked
        case linuxCooked2
        /// The address family in four bytes, in the byte order of whoever captured.
        case hostFamily
        /// The same in network order.
        case networkFamily
        case ppp
        case pppOverEthernet
    }

    /// The link layer of a number, or `nil` if it is not known.
    ///
    /// LINKTYPE_ and DLT_ numbers are the same but for raw IP, of which all are taken.
    public init?(dataLinkType: Int32) {
        switch dataLinkType {
        case 0: header = .hostFamily  // NULL
        case 1: header = .ethernet
        case 9, 50: header = .ppp  // PPP, PPP_HDLC
        case 51: header = .pppOverEthernet
        case 12, 14, 101, 228, 229: header = .none  // DLT_RAW of two kinds of systems, RAW, IPV4, IPV6
        case 108: header = .networkFamily  // LOOP
        case 113: header = .linuxCooked
        case 276: header = .linuxCooked2
        default: return nil
        }
    }

    /// Where in a frame its IP packet begins, in bytes: at most its length.
    ///
    /// - Throws: ``PacketFault/notTCP`` if it holds no IP packet, ``PacketFault/truncated`` if it ends too early to tell.
    public func packetOffset(in frame: Span<UInt8>) throws(PacketFault) -> Int {
        switch header {
        case .none: 0
        case .ethernet: try EtherType.packetOffset(try frame.uint16(at: 12), in: frame, at: 14)
        case .linuxCooked: try EtherType.packetOffset(try frame.uint16(at: 14), in: frame, at: 16)
        case .linuxCooked2: try LinkLayer.packetOffset(linuxCooked2: frame)
        case .hostFamily: try LinkLayer.packetOffset(familyOf: frame, inNetworkOrder: false)
        case .networkFamily: try LinkLayer.packetOffset(familyOf: frame, inNetworkOrder: true)
        case .ppp: try PointToPoint.packetOffset(hdlc: frame)
        case .pppOverEthernet: try PointToPoint.packetOffset(session: frame, at: 0)
        }
    }

    /// Where in the payload of a frame its IP packet begins, in bytes: past VLAN tags and PPPoE.
    ///
    /// - Parameters:
    ///   - etherType: what the payload is, in host byte order: a protocol of packet(7).
    ///   - payload: what follows the link header.
    /// - Throws: see ``packetOffset(in:)``.
    public static func packetOffset(
        etherType: UInt16, in payload: Span<UInt8>
    ) throws(PacketFault) -> Int {
        try EtherType.packetOffset(etherType, in: payload, at: 0)
    }

    /// Whether a type in a frame says that a VLAN tag follows: the customer's, the provider's, and the provider's before it
    /// had a number.
    static func isTag(_ etherType: UInt16) -> Bool { etherType == 0x8100 || etherType == 0x88a8 || etherType == 0x9100 }

    /// Whether a frame has a VLAN tag.
    ///
    /// - Throws: ``PacketFault/truncated`` if it ends too early to tell.
    func hasTag(_ frame: Span<UInt8>) throws(PacketFault) -> Bool {
        switch header {
        case .ethernet: LinkLayer.isTag(try frame.uint16(at: 12))
        case .linuxCooked: LinkLayer.isTag(try frame.uint16(at: 14))
        case .linuxCooked2: LinkLayer.isTag(try frame.uint16(at: 0))
        case .none, .hostFamily, .networkFamily, .ppp, .pppOverEthernet: false
        }
    }

    /// Version 2 has the protocol first, and 20 bytes in all.
    private static func packetOffset(linuxCooked2 frame: Span<UInt8>) throws(PacketFault) -> Int {
        let etherType = try frame.uint16(at: 0)
        _ = try frame.uint8(at: 19)
        return try EtherType.packetOffset(etherType, in: frame, at: 20)
    }

    private static func packetOffset(
        familyOf frame: Span<UInt8>, inNetworkOrder: Bool
    ) throws(PacketFault) -> Int {
        let family = try frame.uint32(at: 0)
        if isIP(family: family) || !inNetworkOrder && isIP(family: family.byteSwapped) { return 4 }
        throw .notTCP
    }

    /// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
    private static func isIP(family: UInt32) -> Bool {
        switch family {
        case 2, 10, 24, 28, 30: true
        default: false
        }
    }
}

/// The type field of Ethernet (IEEE 802, 802.1Q), which other links use as well.
private enum EtherType {
    /// Where the IP packet begins that a header at an offset, of the type given, leads to.
    static func packetOffset(_ first: UInt16, in frame: Span<UInt8>, at start: Int) throws(PacketFault) -> Int {
        var type = first
        var offset = start
        while true {  // every step goes on in the frame, which ends
            switch type {
            case 0x0800, 0x86dd:
                return offset
            case 0x8100, 0x88a8, 0x9100:  // VLAN tag: customer, provider, and provider before it had a number
                type = try frame.uint16(at: offset + 2)
                offset += 4
            case 0x8864:
                return try PointToPoint.packetOffset(session: frame, at: offset)
            case 0..<1536:  // the length of an IEEE 802.3 frame: LLC follows, and here only SNAP with an EtherType
                if try frame.uint32(at: offset) != 0xaaaa_0300 { throw .notTCP }
                if try frame.uint16(at: offset + 4) != 0 { throw .notTCP }
                type = try frame.uint16(at: offset + 6)
                offset += 8
            default:
                throw .notTCP
            }
        }
    }
}

/// PPP (RFC 1661), in HDLC framing (RFC 1662) or over Ethernet (RFC 2516).
private enum PointToPoint {
    /// Address and control may be left out, as both sides agree.
    static func packetOffset(hdlc frame: Span<UInt8>) throws(PacketFault) -> Int {
        if try frame.uint8(at: 0) != 0xff { return try packetOffset(in: frame, at: 0) }
        if try frame.uint8(at: 1) != 0x03 { throw .notTCP }
        return try packetOffset(in: frame, at: 2)
    }

    /// A session packet has version and type 1 and code 0; six bytes in all come before PPP.
    static func packetOffset(session frame: Span<UInt8>, at offset: Int) throws(PacketFault) -> Int {
        if try frame.uint16(at: offset) != 0x1100 { throw .notTCP }
        return try packetOffset(in: frame, at: offset + 6)
    }

    /// The protocol number is odd and may be one byte, if its upper one is 0: the first byte says which.
    private static func packetOffset(in frame: Span<UInt8>, at offset: Int) throws(PacketFault) -> Int {
        let first = try frame.uint8(at: offset)
        let isOneByte = first & 1 != 0
        switch isOneByte ? UInt16(first) : try frame.uint16(at: offset) {
        case 0x0021, 0x0057: return offset + (isOneByte ? 1 : 2)
        default: throw .notTCP
        }
    }
}
