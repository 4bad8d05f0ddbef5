/// The position of the TCP or UDP header in a packet, or of its beginning in a fragment.
///
/// It requires less of the packet than ``Probe``: some callers need only the ports.
struct TransportHeader {
    /// The preceding IP header.
    let ip: IPHeader
    /// The protocol: ``IPProtocol/tcp`` or ``IPProtocol/udp``.
    let kind: UInt8
    /// The offset of the header, in bytes: it may be past the end of the packet.
    let offset: Int

    /// Finds the header in a packet that begins with its IP header: see ``Probe/init(packet:)``.
    ///
    /// - Throws: ``PacketFault/fragment`` for any fragment but the first, ``PacketFault/otherProtocol`` for other
    ///   protocols.
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

    /// The range of the header and its payload in the packet.
    var range: Range<Int> { min(offset, ip.end)..<ip.end }

    /// The source and destination ports.
    ///
    /// - Throws: ``PacketFault/truncated`` if the packet does not hold them.
    func ports(in packet: Span<UInt8>) throws(PacketFault) -> (source: UInt16, destination: UInt16) {
        let payload = packet.extracting(range)
        return (try payload.uint16(at: 0), try payload.uint16(at: 2))
    }
}
