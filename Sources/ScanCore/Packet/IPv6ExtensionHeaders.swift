/// A walk over IPv6 extension headers (RFC 8200, section 4).
struct IPv6ExtensionHeaders {
    /// What the header that the walk has come to is: an ``IPProtocol``.
    var next: UInt8

    /// Where that header begins, in bytes; it may lie past the end.
    var offset: Int

    /// Where a fragment header was met, in bytes. One that says the packet is whole (RFC 6946) is no such header.
    var fragmentHeader: Int?

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
                throw .notTCP
            }
        }
    }

    private mutating func enterFragment(in packet: Span<UInt8>) throws(PacketFault) {
        let field = try packet.uint16(at: offset + 2)
        if field & 0xfff9 == 0 { return }
        if fragmentHeader != nil { throw .malformed }
        fragmentHeader = offset
        if field & 0xfff8 != 0 { throw .fragment }
    }
}

/// Whether a protocol number is TCP's, or that of an extension header behind which TCP may come.
package func canLeadToTCP(_ number: UInt8) -> Bool {
    switch number {
    case IPProtocol.tcp, IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.fragment, IPProtocol.authentication,
        IPProtocol.destinationOptions:
        true
    default: false
    }
}

/// Protocol numbers, as the Protocol and Next Header fields have them (IANA, Assigned Internet Protocol Numbers).
enum IPProtocol {
    static let hopByHop: UInt8 = 0
    static let tcp: UInt8 = 6
    static let udp: UInt8 = 17
    static let routing: UInt8 = 43
    static let fragment: UInt8 = 44
    static let authentication: UInt8 = 51
    static let destinationOptions: UInt8 = 60
}
