/// Where in a packet the header of TCP or UDP begins, or in a fragment the beginning of one.
///
/// Less is asked for than ``Segment`` asks: ports are enough for some.
struct TransportHeader {
    /// The header of IP before it.
    let ip: IPHeader
    /// What follows: ``IPProtocol/tcp`` or ``IPProtocol/udp``.
    let kind: UInt8
    /// Where it begins, in bytes: it may be past the end of the packet.
    let offset: Int

    /// Finds the header in a packet that begins with its IP header: see ``Segment/init(packet:)``.
    ///
    /// - Throws: ``PacketFault/fragment`` for any fragment but the first, ``PacketFault/notTCP`` for what is neither.
    init(packet: Span<UInt8>) throws(PacketFault) {
        ip = try IPHeader(packet: packet)
        var chain = IPv6ExtensionHeaders(behind: ip)
        if !ip.source.isIPv4 { try TransportHeader.advance(&chain, in: packet.extracting(..<ip.end)) }
        kind = chain.next
        offset = chain.offset
        if kind != IPProtocol.tcp && kind != IPProtocol.udp { throw .notTCP }
        if ip.part.offset > 0 { throw .fragment }
    }

    private static func advance(
        _ chain: inout IPv6ExtensionHeaders, in packet: Span<UInt8>
    ) throws(PacketFault) {
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet)
        } catch {
            if error != .notTCP || chain.next != IPProtocol.udp { throw error }
        }
    }

    /// Which bytes of the packet are its own, and those of what follows it.
    var range: Range<Int> { min(offset, ip.end)..<ip.end }

    /// The ports: the source's in the upper half.
    ///
    /// - Throws: ``PacketFault/truncated`` if they are not there.
    func ports(in packet: Span<UInt8>) throws(PacketFault) -> (source: UInt16, destination: UInt16) {
        let payload = packet.extracting(range)
        return (try payload.uint16(at: 0), try payload.uint16(at: 2))
    }
}

extension Segment {
    /// Reads the ports of a packet that ends before its TCP header does, and the flags if it holds them: `nil` if it holds
    /// no ports.
    ///
    /// - Throws: see ``init(packet:)``; of a header that is too short if it holds what says so.
    init?(beginningIn packet: Span<UInt8>) throws(PacketFault) {
        do throws(PacketFault) {
            let header = try TransportHeader(packet: packet)
            if header.kind != IPProtocol.tcp { return nil }
            let ports = try header.ports(in: packet)
            let payload = packet.extracting(header.range)
            if payload.hasTooShortTCPHeader(at: 0) { throw .malformed }
            self.init(
                source: header.ip.source, destination: header.ip.destination,
                sourcePort: ports.source, destinationPort: ports.destination,
                flags: TCPFlags(inHeaderAt: 0, of: payload),
                typeOfService: header.ip.typeOfService, timeToLive: header.ip.timeToLive)
        } catch {
            if error == .fragment || error == .truncated { return nil }
            throw error
        }
    }
}

extension TCPFlags {
    /// Where in a TCP header the flags are.
    private static var offset: Int { 13 }

    /// The flags of a header that begins at an offset; `nil` if the bytes end before them.
    init?(inHeaderAt offset: Int, of bytes: Span<UInt8>) {
        let place = offset + TCPFlags.offset
        if place >= bytes.count { return nil }
        self.init(rawValue: bytes[place])
    }
}

extension Span<UInt8> {
    /// Whether a TCP header that begins at an offset says that it is shorter than any can be, as far as its bytes are here.
    ///
    /// The field is in the same 8 bytes as the flags: where fragments divide a header, one that holds these holds it too, and
    /// what a host joins has it from there.
    func hasTooShortTCPHeader(at offset: Int) -> Bool {
        let place = offset + 12
        return place < count && Int(self[place] >> 4) * 4 < Segment.headerLength
    }
}
