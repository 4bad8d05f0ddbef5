/// A walk over IPv6 extension headers (RFC 8200, section 4).
struct IPv6ExtensionHeaders {
    /// What the header that the walk has come to is: an ``IPProtocol``.
    var next: UInt8

    /// Where that header begins, in bytes; it may lie past the end.
    var offset: Int

    /// Where a fragment header was met, in bytes. One that says the packet is whole (RFC 6946) is no such header.
    var fragmentHeader: Int?

    /// A walk that is to begin at a header.
    ///
    /// - Parameter fragmentHeader: where one was met before, if that is known.
    init(next: UInt8, offset: Int, fragmentHeader: Int? = nil) {
        self.next = next
        self.offset = offset
        self.fragmentHeader = fragmentHeader
    }

    /// A walk that is to begin behind an IP header. Behind that of IPv4 none of them stands.
    init(behind header: IPHeader) {
        self.init(next: header.next, offset: header.length)
    }

    /// Goes on to the TCP header. Every step goes on by 8 bytes or more, in a packet that ends: no other bound is needed.
    ///
    /// - Throws: ``PacketFault/fragment`` where a fragment begins that is not the first of its packet,
    ///   ``PacketFault/malformed`` for a fragment of a fragment, and ``PacketFault/truncated`` where the packet ends in
    ///   front of the header that the walk has come to, which ``next`` and ``offset`` tell then.
    mutating func advanceToTransport(in packet: Span<UInt8>) throws(PacketFault) {
        while true {
            switch next {
            case IPProtocol.tcp:
                return
            case IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.destinationOptions:
                let length = Int(try packet.uint8(at: offset + 1))
                next = try packet.uint8(at: offset)
                offset += (length + 1) * 8
            case IPProtocol.fragment:
                try enterFragment(in: packet)
                next = try packet.uint8(at: offset)
                offset += 8
            case IPProtocol.authentication:  // counts in units of 4 bytes, less 2 (RFC 4302, section 2.2)
                let length = Int(try packet.uint8(at: offset + 1))
                next = try packet.uint8(at: offset)
                offset += (length + 2) * 4
            default:
                throw .otherProtocol
            }
        }
    }

    private mutating func enterFragment(in packet: Span<UInt8>) throws(PacketFault) {
        let part = FragmentPart(ipv6: try packet.uint16(at: offset + 2))
        if !part.isFragment { return }
        if fragmentHeader != nil { throw .malformed }
        fragmentHeader = offset
        if part.offset > 0 { throw .fragment }
    }
}

/// Whether a protocol number is TCP's, or that of an extension header behind which TCP may come.
package func canLeadToTransport(_ number: UInt8) -> Bool {
    switch number {
    case IPProtocol.tcp, IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.fragment, IPProtocol.authentication,
        IPProtocol.destinationOptions:
        true
    default: false
    }
}
