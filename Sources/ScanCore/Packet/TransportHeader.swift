/// Where in a packet the header of TCP or UDP begins, or in a fragment the beginning of one.
///
/// Less is asked for than ``Probe`` asks: ports are enough for some.
struct TransportHeader {
    /// The header of IP before it.
    let ip: IPHeader
    /// What follows: ``IPProtocol/tcp`` or ``IPProtocol/udp``.
    let kind: UInt8
    /// Where it begins, in bytes: it may be past the end of the packet.
    let offset: Int

    /// Finds the header in a packet that begins with its IP header: see ``Probe/init(packet:)``.
    ///
    /// - Throws: ``PacketFault/fragment`` for any fragment but the first, ``PacketFault/otherProtocol`` for what is neither.
    init(packet: Span<UInt8>) throws(PacketFault) {
        ip = try IPHeader(packet: packet)
        var chain = IPv6ExtensionHeaders(behind: ip)
        if !ip.source.isIPv4 { try TransportHeader.advance(&chain, in: packet.extracting(..<ip.end)) }
        kind = chain.next
        offset = chain.offset
        if kind != IPProtocol.tcp && kind != IPProtocol.udp { throw .otherProtocol }
        if ip.part.offset > 0 { throw .fragment }
    }

    private static func advance(
        _ chain: inout IPv6ExtensionHeaders, in packet: Span<UInt8>
    ) throws(PacketFault) {
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet)
        } catch {
            if error != .otherProtocol || chain.next != IPProtocol.udp { throw error }
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
