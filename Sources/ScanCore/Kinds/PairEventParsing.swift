extension PairEvent {
    /// What a packet shows that is not TCP, or an ICMP error about TCP; `nil` if nothing.
    ///
    /// Read are ICMP and ICMPv6 echo requests, their replies, and errors that say that a port or protocol is not
    /// reachable (RFC 792; RFC 4443); the first chunk of SCTP (RFC 9260, section 3); and the number of any protocol
    /// that hosts do not commonly receive. Of a fragmented packet, the first fragment is read.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on, of any length, possibly truncated.
    ///   - datagrams: whether UDP packets are read, too.
    /// - Throws: why it can't be read.
    static func read(_ packet: Span<UInt8>, datagrams: Bool = false) throws(PacketFault) -> PairEvent? {
        let ip = try IPHeader(packet: packet)
        if ip.part.offset > 0 { return nil }
        let (next, offset) = try transport(behind: ip, in: packet)
        let payload = packet.extracting(min(offset, ip.end)..<ip.end)
        switch next {
        case IPProtocol.tcp: return nil
        case IPProtocol.udp: return datagrams ? try udp(payload, ip) : nil
        case IPProtocol.icmp where ip.source.isIPv4: return try icmp(payload, ip)
        case IPProtocol.icmpv6 where !ip.source.isIPv4: return try icmpv6(payload, ip)
        case IPProtocol.sctp: return try sctp(payload, ip)
        default: return IPProtocol.isCommon(next) ? nil : event(.protocols, .tried, ip, port: UInt16(next))
        }
    }

    /// The number of the protocol behind the IP header and its extension headers, and where that begins.
    private static func transport(
        behind ip: IPHeader, in packet: Span<UInt8>
    ) throws(PacketFault) -> (next: UInt8, offset: Int) {
        var chain = IPv6ExtensionHeaders(behind: ip)
        if ip.source.isIPv4 { return (chain.next, chain.offset) }
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet.extracting(..<ip.end))
        } catch {
            if error != .otherProtocol { throw error }
        }
        return (chain.next, chain.offset)
    }

    /// Something tried by the sender of a packet.
    private static func event(_ target: PairClass, _ outcome: Outcome, _ ip: IPHeader, port: UInt16) -> PairEvent {
        var event = PairEvent(target, outcome, by: ip.source, at: ip.destination, port: port)
        event.typeOfService = ip.typeOfService
        event.timeToLive = ip.timeToLive
        return event
    }

    private static func icmp(_ message: Span<UInt8>, _ ip: IPHeader) throws(PacketFault) -> PairEvent? {
        switch (try message.uint8(at: 0), try message.uint8(at: 1)) {
        case (8, _): event(.echo, .tried, ip, port: 0)
        case (0, _): PairEvent(.echo, .accepted, by: ip.destination, at: ip.source, port: 0)
        case (3, 2): try refused(in: message, by: ip, isProtocol: true)
        // Port unreachable, and what firewalls say: prohibited, by network, by host, by filter (RFC 1122, RFC 1812).
        case (3, 3), (3, 9), (3, 10), (3, 13): try refused(in: message, by: ip, isProtocol: false)
        default: nil
        }
    }

    private static func icmpv6(_ message: Span<UInt8>, _ ip: IPHeader) throws(PacketFault) -> PairEvent? {
        switch (try message.uint8(at: 0), try message.uint8(at: 1)) {
        case (128, _): event(.echo, .tried, ip, port: 0)
        case (129, _): PairEvent(.echo, .accepted, by: ip.destination, at: ip.source, port: 0)
        case (4, 1): try refused(in: message, by: ip, isProtocol: true)
        case (1, 4), (1, 1): try refused(in: message, by: ip, isProtocol: false)  // port unreachable, prohibited
        default: nil
        }
    }

    /// What an ICMP error refuses, by the beginning of the packet that it returns: `nil` if it is not from the host
    /// that was tried to the one that tried, or about something else than a port or protocol.
    private static func refused(
        in message: Span<UInt8>, by ip: IPHeader, isProtocol: Bool
    ) throws(PacketFault) -> PairEvent? {
        let quote = message.extracting(min(8, message.count)...)
        let tried = try IPHeader(packet: quote)
        if tried.source != ip.destination || tried.destination != ip.source || tried.part.offset > 0 { return nil }
        if isProtocol {
            // ICMPv6 says at which offset of the quoted packet the number stands.
            let number = tried.source.isIPv4 ? tried.next : try quote.uint8(at: Int(try message.uint32(at: 4)))
            return PairEvent(.protocols, .refused, by: tried.source, at: tried.destination, port: UInt16(number))
        }
        let (next, offset) = try transport(behind: tried, in: quote)
        if next != IPProtocol.udp && next != IPProtocol.tcp { return nil }
        var event = PairEvent(
            next == IPProtocol.udp ? .udp : .tcp, .refused, by: tried.source, at: tried.destination,
            port: try quote.uint16(at: offset + 2))
        event.sourcePort = try quote.uint16(at: offset)
        return event
    }

    private static func udp(_ packet: Span<UInt8>, _ ip: IPHeader) throws(PacketFault) -> PairEvent {
        var event = event(.udp, .tried, ip, port: try packet.uint16(at: 2))
        event.sourcePort = try packet.uint16(at: 0)
        return event
    }

    /// The chunk that begins an association, INIT, or that would complete one, COOKIE ECHO.
    private static func sctp(_ packet: Span<UInt8>, _ ip: IPHeader) throws(PacketFault) -> PairEvent? {
        let chunk = try packet.uint8(at: 12)
        if chunk != 1 && chunk != 10 { return nil }
        var event = event(.sctp, .tried, ip, port: try packet.uint16(at: 2))
        event.sourcePort = try packet.uint16(at: 0)
        return event
    }
}

extension Span<UInt8> {
    /// Whether a packet is TCP, without extension headers: of such ones nothing is read here.
    @inline(__always)
    var isPlainTCP: Bool {
        if count < 20 { return false }
        return self[0] >> 4 == 4 ? self[9] == IPProtocol.tcp : self[6] == IPProtocol.tcp && self[0] >> 4 == 6
    }
}

extension IPProtocol {
    /// Whether hosts commonly receive packets of a protocol: extension headers, tunnels, multicast routing and its
    /// groups, redundancy, IPsec, L2TP (numbers of IANA's registry of protocol numbers).
    package static func isCommon(_ number: UInt8) -> Bool {
        switch number {
        case 0...2, 4, 6, 17, 33, 41, 43, 44, 46, 47, 50, 51, 58...60, 88, 89, 94, 97, 103, 108, 112, 115, 132,
            135...137:
            true
        default: false
        }
    }
}
