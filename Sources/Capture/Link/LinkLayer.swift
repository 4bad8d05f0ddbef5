import ScanCore

/// What frames of a network begin with, before the IP packet (the LINKTYPE_ registry of tcpdump.org; libpcap's DLT_).
public struct LinkLayer: Equatable, Sendable {
    let header: Header

    enum Header {
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
        case LinkLayer.linuxCooked2: header = .linuxCooked2
        default: return nil
        }
    }

    /// Where in a frame its IP packet begins, also behind VLAN tags that the frame says nothing of.
    ///
    /// - Parameters:
    ///   - frame: the frame, cut off anywhere.
    ///   - length: how many bytes it had in all, if they are not all here.
    ///   - interface: the number of the interface that it came over, or 0.
    /// - Throws: ``PacketFault/otherProtocol`` if it holds no IP packet, ``PacketFault/truncated`` if it ends too early to tell.
    public func place(
        in frame: Span<UInt8>, length: Int = 0, interface: Int32 = 0
    ) throws(PacketFault) -> PacketPlace {
        var place = PacketPlace(at: 0, LinkPath(interface: interface))
        try walk(&place, over: frame, length: max(length, frame.count))
        return place
    }

    /// Where the walk over the headers of a frame that holds no IP packet ends.
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

    /// Whether a frame does not tell that it had a VLAN tag: libpcap puts none back into those of cooked version 2.
    var hidesTags: Bool { header == .linuxCooked2 }

    /// Whether a frame tells which way it went.
    var knowsDirection: Bool { header == .linuxCooked || header == .linuxCooked2 }

    /// Whether the host was sending a frame, or it may have been: few links tell. Of what goes over loopback libpcap gives
    /// only the frame that comes in.
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

    // What cooked frames say of themselves.
    private static var outgoing: UInt16 { 4 }  // LINUX_SLL_OUTGOING
    static var loopback: UInt16 { 772 }  // ARPHRD_LOOPBACK
}

/// How far a walk over the headers of a frame has come: in the end, to its IP packet.
public struct PacketPlace: Equatable, Sendable {
    /// Where in the frame it is, in bytes: at most the frame's length.
    public internal(set) var offset: Int
    /// What was met on the way.
    public internal(set) var path: LinkPath
    /// What is there, as a type of Ethernet: an IP packet, or 0 where the link has another number for that.
    private(set) var etherType: UInt16 = 0

    /// A walk that is to begin at an offset.
    init(at offset: Int, _ path: LinkPath) {
        self.offset = offset
        self.path = path
    }

    /// The IP packet in what begins with a type of Ethernet: see ``enter(etherType:in:)``.
    init(etherType: UInt16, in payload: Span<UInt8>) throws(PacketFault) {
        self.init(at: 0, LinkPath())
        try enter(etherType: etherType, in: payload)
    }
}

// MARK: Ethernet's type field (IEEE 802, 802.1Q), which other links use as well

extension PacketPlace {
    /// Goes on to the IP packet, past VLAN tags, those of Cisco TrustSec, labels of MPLS and PPPoE.
    ///
    /// - Parameters:
    ///   - first: what is here, in host byte order: a protocol of packet(7).
    ///   - frame: the frame, or what follows its link header.
    ///   - isCooked: the type is Linux's word for what the frame holds: 0 says that more tags follow than it counts, which
    ///     are eight (linux/if_vlan.h, VLAN_MAX_DEPTH). It takes the frame all the same, if they are for no VLAN.
    /// - Throws: see ``LinkLayer/place(in:length:interface:)``.
    mutating func enter(
        etherType first: UInt16, in frame: Span<UInt8>, isCooked: Bool = false
    ) throws(PacketFault) {
        etherType = first
        while true {  // every step goes on in the frame, which ends
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
            case 0..<EtherType.least:  // the length of an IEEE 802.3 frame: LLC follows, and here only SNAP with a type
                if try frame.uint32(at: offset) != 0xaaaa_0300 { throw .otherProtocol }
                if try frame.uint16(at: offset + 4) != 0 { throw .otherProtocol }
                etherType = try frame.uint16(at: offset + 6)
                offset += 8
            default:
                throw .otherProtocol
            }
        }
    }

    /// Goes past the tag that is here, to what it says follows.
    private mutating func enterTag(in frame: Span<UInt8>) throws(PacketFault) {
        etherType = try frame.uint16(at: offset + 2)
        path.enterTag(try frame.uint16(at: offset))
        offset += 4
    }

    /// Goes past the tag of Cisco TrustSec that is here: version 1, a length in units of 4 bytes, as many bytes of options, of
    /// which the last holds the number of a group, and the type of what follows.
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

    /// Goes past labels of MPLS (RFC 3032), the last of which has a bit for that. They don't say what they stand before: an IP
    /// packet is known by its version, which nothing else that comes here begins with (RFC 4928).
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

    /// Goes past tags that stand where the IP packet is said to begin.
    ///
    /// Linux takes the first tag off a frame. If there are more, it gives cooked frames the protocol of what is behind all
    /// of them since 6.10, and leaves them where they are (net/packet/af_packet.c, vlan_get_protocol_dgram): nothing tells
    /// that there are any. A tag ends in the type of what follows it, the last one in the protocol that the frame is said
    /// to be of; and what begins so is no tag if it can be that packet: see ``isPacket(in:length:)``. The first tag decides:
    /// what follows it is what it says. Types that lead elsewhere were none, and the packet is where they began.
    ///
    /// - Parameters:
    ///   - frame: the bytes of the frame that were kept.
    ///   - length: how many it had in all.
    mutating func passHiddenTags(in frame: Span<UInt8>, length: Int) throws(PacketFault) {
        let start = self
        let last = etherType
        if last == 0 { return }
        while offset + 4 < frame.count {  // every step goes on in the frame, which ends
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

    /// Whether what is here can be the IP packet that it is said to be, though its third and fourth byte are a type of
    /// Ethernet.
    ///
    /// Of IPv4 that would be its length, and the checksum of the header decides. Of IPv6 it would be the lower bits of the
    /// flow label. Where a tag is, and another behind it, the next header would be one of no use here: half a type of
    /// Ethernet; where a tag is, and IPv6 behind it, the length would be over 24,000 bytes.
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

    /// Where an IPv6 packet ends that begins at an offset and can hold TCP; `nil` if none does.
    private func ipv6End(at start: Int, in frame: Span<UInt8>) -> Int? {
        do throws(PacketFault) {
            let length = Int(try frame.uint16(at: start + 4))
            let next = try frame.uint8(at: start + 6)
            // A length of 0 is for jumbograms, which their hop-by-hop options make (RFC 2675).
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
    /// Goes past the family of addresses.
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

    /// Goes past PPP (RFC 1661) in HDLC framing (RFC 1662), where address and control may be left out, as both sides agree.
    fileprivate mutating func enter(hdlc frame: Span<UInt8>) throws(PacketFault) {
        if try frame.uint8(at: 0) == 0xff {
            if try frame.uint8(at: 1) != 0x03 { throw .otherProtocol }
            offset = 2
        }
        try enterPPP(frame)
    }

    /// Goes past PPP over Ethernet (RFC 2516). A session packet has version and type 1 and code 0, then the number of the
    /// session and a length.
    fileprivate mutating func enter(session frame: Span<UInt8>) throws(PacketFault) {
        if try frame.uint16(at: offset) != 0x1100 { throw .otherProtocol }
        path.session = try frame.uint16(at: offset + 2)
        offset += 6
        try enterPPP(frame)
    }

    /// The protocol number is odd and may be one byte, if its upper one is 0: the first byte says which.
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
        case 0x002d, 0x002f, 0x003d, 0x00fd:  // what is compressed, or divided (RFC 1144, 1962, 1990)
            etherType = EtherType.ppp
            throw .otherProtocol
        default: throw .otherProtocol
        }
    }
}
