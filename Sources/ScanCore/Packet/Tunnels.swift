/// Whether an IP packet that is not TCP may encapsulate other packets, and so TCP, judging by its protocol (IANA,
/// Assigned Internet Protocol Numbers) or its UDP port.
public func isTunnel(_ packet: Span<UInt8>) -> Bool {
    do throws(PacketFault) {
        let header = try IPHeader(packet: packet)
        var chain = IPv6ExtensionHeaders(behind: header)
        if !header.source.isIPv4 { do throws(PacketFault) { try chain.advanceToTransport(in: packet) } catch {} }
        return try isTunnel(of: chain.next, at: header.part.offset == 0 ? chain.offset : nil, in: packet)
    } catch {
        return false
    }
}

/// - Parameter offset: the offset of the transport header, if it is in the packet.
private func isTunnel(
    of kind: UInt8, at offset: Int?, in packet: Span<UInt8>
) throws(PacketFault) -> Bool {
    switch kind {
    // IPv4, IPv6, GRE, ESP, minimal encapsulation, IP-in-IP, EtherIP, ENCAP, PIM, IPComp, L2TPv3, MPLS and Ethernet.
    case 4, 41, 47, 50, 55, 94, 97, 98, 103, 108, 115, 137, 143: return true
    case IPProtocol.udp:
        guard let offset else { return false }
        let (source, destination) = (try packet.uint16(at: offset), try packet.uint16(at: offset + 2))
        return isTunnel(port: source) || isTunnel(port: destination)
    default: return false
    }
}

/// L2TP, GTP, Teredo, LISP, ESP in UDP, GRE in UDP, VXLAN, VXLAN-GPE, CAPWAP, GUE, GENEVE, MPLS in UDP, and the default
/// port of Linux for VXLAN.
private func isTunnel(port: UInt16) -> Bool {
    switch port {
    case 1701, 2152, 3544, 4341, 4500, 4754, 4789, 4790, 5247, 6080, 6081, 6635, 8472: true
    default: false
    }
}
