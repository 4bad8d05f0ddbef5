import ScanCore

/// The link-layer header of frames, before the IP packet (the LINKTYPE_ registry of tcpdump.org; libpcap's DLT_).
public struct LinkLayer: Equatable, Sendable {
    let header: Header

    enum Header {
        case none
        case ethernet
        case linuxCooked
        case linuxCooked2
        /// The address family in four bytes, in the byte order of the capturing host.
        case hostFamily
        /// The same in network byte order.
        case networkFamily
        case ppp
        case pppOverEthernet
    }

    /// The link layer of a number, or `nil` if it is unknown.
    ///
    /// LINKTYPE_ and DLT_ numbers are the same except for raw IP, of which all are accepted.
    public init?(dataLinkType: Int32) {
        switch dataLinkType {
        case 0: header = .hostFamily  // NULL
        case 1: header = .ethernet
        case 9, 50: header = .ppp  // PPP, PPP_HDLC
        case 51: header = .pppOverEthernet
        case 12, 14, 101, 228, 229: header = .none  // DLT_RAW of two kinds of systems, RAW, IPV4, IPV6
        case 108: header = .networkFamily  // LOOP
        case 113: header = .linuxCooked
        case LinkLayer.linuxCooked2: header = .linuxCooked2
        default: return nil
        }
    }

    /// The offset of the IP packet in a frame, also behind VLAN tags that the frame does not indicate.
    ///
    /// - Parameters:
    ///   - frame: the frame, possibly truncated.
    ///   - length: the frame's original length, if it is truncated.
    ///   - interface: the number of the interface that it arrived on, or 0.
    /// - Throws: ``PacketFault/otherProtocol`` if it holds no IP packet, ``PacketFault/truncated`` if that can't be
    ///   determined.
    public func place(
        in frame: Span<UInt8>, length: Int = 0, interface: Int32 = 0
    ) throws(PacketFault) -> PacketPlace {
        var place = PacketPlace(at: 0, LinkPath(interface: interface))
        try walk(&place, over: frame, length: max(length, frame.count))
        return place
    }

    /// Where the parsing of the headers of a frame without an IP packet stops.
    func obstacle(in frame: Span<UInt8>) -> PacketPlace {
        var place = PacketPlace(at: 0, LinkPath())
        do throws(PacketFault) { try walk(&place, over: frame, length: frame.count) } catch {}
        return place
    }

    @inline(__always)
    private func walk(_ place: inout PacketPlace, over frame: Span<UInt8>, length: Int) throws(PacketFault) {
        switch header {
        case .none: break
        case .ethernet:
            place.offset = 14
            try place.enter(etherType: try frame.uint16(at: 12), in: frame)
        case .linuxCooked:
            place.offset = 16
            place.path.isOutgoing = try frame.uint16(at: 0) == LinkLayer.outgoing
            try place.enter(etherType: try frame.uint16(at: 14), in: frame, isCooked: true)
            try place.passHiddenTags(in: frame, length: length)
        case .linuxCooked2:  // the protocol first, and 20 bytes in all
            _ = try frame.uint8(at: 19)
            place.offset = 20
            if place.path.interface == 0 { place.path.interface = Int32(truncatingIfNeeded: try frame.uint32(at: 4)) }
            place.path.isOutgoing = UInt16(try frame.uint8(at: 10)) == LinkLayer.outgoing
            try place.enter(etherType: try frame.uint16(at: 0), in: frame, isCooked: true)
            try place.passHiddenTags(in: frame, length: length)
        case .hostFamily: try place.enter(familyIn: frame, inNetworkOrder: false)
        case .networkFamily: try place.enter(familyIn: frame, inNetworkOrder: true)
        case .ppp: try place.enter(hdlc: frame)
        case .pppOverEthernet: try place.enter(session: frame)
        }
    }

    /// The number of Linux cooked frames of version 2 (LINKTYPE_LINUX_SLL2).
    static var linuxCooked2: Int32 { 276 }

    /// Whether a frame does not show that it had a VLAN tag: libpcap does not reinsert them into cooked frames of
    /// version 2.
    var hidesTags: Bool { header == .linuxCooked2 }

    /// Whether a frame indicates its direction.
    var knowsDirection: Bool { header == .linuxCooked || header == .linuxCooked2 }

    /// Whether the host sent a frame, or may have sent it: few link types indicate that. Of loopback traffic, libpcap
    /// delivers only the incoming frame.
    func isSent(_ frame: Span<UInt8>) throws(PacketFault) -> Bool {
        switch header {
        case .linuxCooked:
            let (type, hardware) = (try frame.uint16(at: 0), try frame.uint16(at: 2))
            return type == LinkLayer.outgoing || hardware == LinkLayer.loopback
        case .linuxCooked2:
            let (type, hardware) = (UInt16(try frame.uint8(at: 10)), try frame.uint16(at: 8))
            return type == LinkLayer.outgoing || hardware == LinkLayer.loopback
        default: return true
        }
    }

    // Values of fields of cooked frames.
    private static var outgoing: UInt16 { 4 }  // LINUX_SLL_OUTGOING
    static var loopback: UInt16 { 772 }  // ARPHRD_LOOPBACK
}

/// The position reached in parsing the headers of a frame: in the end, its IP packet.
public struct PacketPlace: Equatable, Sendable {
    /// The offset in the frame, in bytes: at most the frame's length.
    public internal(set) var offset: Int
    /// The headers passed on the way.
    public internal(set) var path: LinkPath
    /// The type of what is there, as an EtherType: an IP packet, or 0 where the link uses other numbers.
    private(set) var etherType: UInt16 = 0

    /// The start of parsing, at an offset.
    init(at offset: Int, _ path: LinkPath) {
        self.offset = offset
        self.path = path
    }

    /// The IP packet in a payload of an EtherType: see ``enter(etherType:in:isCooked:)``.
    init(etherType: UInt16, in payload: Span<UInt8>) throws(PacketFault) {
        self.init(at: 0, LinkPath())
        try enter(etherType: etherType, in: payload)
    }
}

// MARK: EtherType fields (IEEE 802, 802.1Q), which other links use as well

extension PacketPlace {
    /// Advances to the IP packet, past VLAN tags, tags of Cisco TrustSec, labels of MPLS and PPPoE.
    ///
    /// - Parameters:
    ///   - first: the type of what is here, in host byte order: a protocol of packet(7).
    ///   - frame: the frame, or what follows its link header.
    ///   - isCooked: whether the type is Linux's protocol of the frame: 0 means that there are more tags than the eight
    ///     that it parses (linux/if_vlan.h, VLAN_MAX_DEPTH). Linux accepts such a frame all the same, if its tags are
    ///     for no VLAN.
    /// - Throws: see ``LinkLayer/place(in:length:interface:)``.
    mutating func enter(
        etherType first: UInt16, in frame: Span<UInt8>, isCooked: Bool = false
    ) throws(PacketFault) {
        etherType = first
        while true {  // each iteration advances in the frame, which is finite
            switch etherType {
            case EtherType.ipv4, EtherType.ipv6:
                return
            case EtherType.customerTag, EtherType.providerTag, EtherType.oldProviderTag:
                try enterTag(in: frame)
            case 0 where isCooked:
                try enterTag(in: frame)
            case EtherType.securityTag:
                try enterSecurityTag(in: frame)
            case EtherType.labels, EtherType.multicastLabels:
                return try enterLabels(in: frame)
            case EtherType.pppoeSession:
                return try enter(session: frame)
            case 0..<EtherType.least:  // an IEEE 802.3 length: LLC follows; only SNAP with a type is parsed
                if try frame.uint32(at: offset) != 0xaaaa_0300 { throw .otherProtocol }
                if try frame.uint16(at: offset + 4) != 0 { throw .otherProtocol }
                etherType = try frame.uint16(at: offset + 6)
                offset += 8
            default:
                throw .otherProtocol
            }
        }
    }

    /// Advances past the tag that is here, to the type that it gives.
    private mutating func enterTag(in frame: Span<UInt8>) throws(PacketFault) {
        etherType = try frame.uint16(at: offset + 2)
        path.enterTag(try frame.uint16(at: offset))
        offset += 4
    }

    /// Advances past the tag of Cisco TrustSec that is here: version 1, a length in units of 4 bytes, as many bytes of
    /// options, of which the last hold the number of a group, and the type of what follows.
    private mutating func enterSecurityTag(in frame: Span<UInt8>) throws(PacketFault) {
        let head = try frame.uint16(at: offset)
        let units = Int(head & 0xff)
        if head >> 8 != 1 || units == 0 { throw .otherProtocol }
        let end = offset + 2 + units * 4
        let type = try frame.uint16(at: end)
        path.enterMark(UInt32(try frame.uint16(at: end - 2)))
        etherType = type
        offset = end + 2
    }

    /// Advances past labels of MPLS (RFC 3032), of which the last has a bit set. They don't include the type of what
    /// follows: an IP packet is recognized by its version, which nothing else that comes here begins with (RFC 4928).
    fileprivate mutating func enterLabels(in frame: Span<UInt8>) throws(PacketFault) {
        var label: UInt32
        repeat {
            label = try frame.uint32(at: offset)
            path.enterMark(label >> 12)
            offset += 4
        } while label & 0x100 == 0
        let version = try frame.uint8(at: offset) >> 4
        if version != 4 && version != 6 { throw .otherProtocol }
        etherType = 0
    }

    /// Advances past VLAN tags at the offset where the IP packet is supposed to begin.
    ///
    /// Linux removes the first tag of a frame. If there are more, since 6.10 it gives cooked frames the protocol behind
    /// all of them, and leaves the tags in place (net/packet/af_packet.c, vlan_get_protocol_dgram): nothing indicates
    /// them. A tag ends in the type of what follows it, the last one in the frame's protocol; but bytes that match are
    /// no tag if they can be that packet: see ``isPacket(in:length:)``. That is checked for the first tag only: what
    /// follows is what the tag's type says. If the types lead elsewhere, there were no tags, and the packet is at the
    /// initial offset.
    ///
    /// - Parameters:
    ///   - frame: the captured bytes of the frame.
    ///   - length: its original length.
    mutating func passHiddenTags(in frame: Span<UInt8>, length: Int) throws(PacketFault) {
        let start = self
        let last = etherType
        if last == 0 { return }
        while offset + 4 < frame.count {  // each iteration advances in the frame, which is finite
            let type = try frame.uint16(at: offset + 2)
            if type != last && !EtherType.isTag(type) {
                self = start
                return
            }
            if offset == start.offset && isPacket(in: frame, length: length) { return }
            try enterTag(in: frame)
            if type == last { return }
        }
    }

    /// Whether the bytes here can be the expected IP packet, though its third and fourth byte are an EtherType.
    ///
    /// In IPv4 those bytes are the length, and the checksum of the header decides. In IPv6 they are the lower bits of
    /// the flow label. If there is a tag, and another behind it, the next header would be half of an EtherType, and
    /// none of the relevant ones; if there is a tag, and IPv6 behind it, the length would be over 24,000 bytes.
    private func isPacket(in frame: Span<UInt8>, length: Int) -> Bool {
        if etherType == EtherType.ipv6 {
            guard let end = ipv6End(at: offset, in: frame), end <= length else { return false }
            guard let endBehindTag = ipv6End(at: offset + 4, in: frame) else { return true }
            return end == length || endBehindTag > length
        }
        if etherType != EtherType.ipv4 { return false }
        do throws(PacketFault) {
            return try isSoundIPv4Header(at: offset, in: frame)
        } catch {
            return false
        }
    }

    /// The end of an IPv6 packet that begins at an offset and can hold TCP; `nil` if there is none.
    private func ipv6End(at start: Int, in frame: Span<UInt8>) -> Int? {
        do throws(PacketFault) {
            let length = Int(try frame.uint16(at: start + 4))
            let next = try frame.uint8(at: start + 6)
            // A length of 0 is for jumbograms, which a hop-by-hop option indicates (RFC 2675).
            if try frame.uint8(at: start) >> 4 != 6 || !canLeadToTransport(next) || length == 0 && next != 0 {
                return nil
            }
            return start + 40 + length
        } catch {
            return nil
        }
    }
}

// MARK: Other links

extension PacketPlace {
    /// Advances past the address family.
    fileprivate mutating func enter(familyIn frame: Span<UInt8>, inNetworkOrder: Bool) throws(PacketFault) {
        let family = try frame.uint32(at: 0)
        if !PacketPlace.isIP(family: family) && (inNetworkOrder || !PacketPlace.isIP(family: family.byteSwapped)) {
            throw .otherProtocol
        }
        offset = 4
    }

    /// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
    private static func isIP(family: UInt32) -> Bool {
        switch family {
        case 2, 10, 24, 28, 30: true
        default: false
        }
    }

    /// Advances past PPP (RFC 1661) in HDLC framing (RFC 1662), where address and control may be omitted, as
    /// negotiated.
    fileprivate mutating func enter(hdlc frame: Span<UInt8>) throws(PacketFault) {
        if try frame.uint8(at: 0) == 0xff {
            if try frame.uint8(at: 1) != 0x03 { throw .otherProtocol }
            offset = 2
        }
        try enterPPP(frame)
    }

    /// Advances past PPP over Ethernet (RFC 2516). A session packet has version and type 1 and code 0, followed by the
    /// session number and a length.
    fileprivate mutating func enter(session frame: Span<UInt8>) throws(PacketFault) {
        if try frame.uint16(at: offset) != 0x1100 { throw .otherProtocol }
        path.session = try frame.uint16(at: offset + 2)
        offset += 6
        try enterPPP(frame)
    }

    /// The protocol number is odd and may be one byte, if its upper byte is 0: the lowest bit of the first byte
    /// decides.
    private mutating func enterPPP(_ frame: Span<UInt8>) throws(PacketFault) {
        etherType = 0
        let first = try frame.uint8(at: offset)
        let isOneByte = first & 1 != 0
        switch isOneByte ? UInt16(first) : try frame.uint16(at: offset) {
        case PPPProtocol.ipv4, PPPProtocol.ipv6: offset += isOneByte ? 1 : 2
        case PPPProtocol.labels, PPPProtocol.multicastLabels:
            offset += 2
            etherType = EtherType.labels
            try enterLabels(in: frame)
        case 0x002d, 0x002f, 0x003d, 0x00fd:  // compressed or fragmented payload (RFC 1144, 1962, 1990)
            etherType = EtherType.ppp
            throw .otherProtocol
        default: throw .otherProtocol
        }
    }
}
