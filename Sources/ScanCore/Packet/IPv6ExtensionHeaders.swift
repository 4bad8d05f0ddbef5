/// Walks the IPv6 extension headers (RFC 8200, section 4).
struct IPv6ExtensionHeaders {
    /// The type of the current header: an ``IPProtocol``.
    var next: UInt8

    /// The offset of that header, in bytes; it may lie past the end.
    var offset: Int

    /// The offset of the fragment header, if one was found, in bytes. An atomic fragment (RFC 6946) does not count.
    var fragmentHeader: Int?

    /// Creates a walk that begins at a header.
    ///
    /// - Parameter fragmentHeader: the offset of a fragment header found before, if there was one.
    init(next: UInt8, offset: Int, fragmentHeader: Int? = nil) {
        self.next = next
        self.offset = offset
        self.fragmentHeader = fragmentHeader
    }

    /// Creates a walk that begins after an IP header. After an IPv4 header there are no extension headers.
    init(behind header: IPHeader) {
        self.init(next: header.next, offset: header.length)
    }

    /// Advances to the TCP header. Every step advances by 8 bytes or more, and the packet is finite: no other bound is
    /// needed.
    ///
    /// - Throws: ``PacketFault/fragment`` at a fragment header that is not of the first fragment,
    ///   ``PacketFault/malformed`` for a fragment of a fragment, and ``PacketFault/truncated`` if the packet ends
    ///   before the current header, which ``next`` and ``offset`` then describe.
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
            case IPProtocol.authentication:  // in units of 4 bytes, minus 2 (RFC 4302, section 2.2)
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

/// Whether a protocol number is TCP's, or that of an extension header that TCP can follow.
package func canLeadToTransport(_ number: UInt8) -> Bool {
    switch number {
    case IPProtocol.tcp, IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.fragment, IPProtocol.authentication,
        IPProtocol.destinationOptions:
        true
    default: false
    }
}
