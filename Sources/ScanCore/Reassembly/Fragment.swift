/// The fields that identify the packet of a fragment.
struct FragmentKey: Equatable, Sendable {
    var source: Address
    var destination: Address
    var identification: UInt32

    /// The link that it came over.
    var path: LinkPath

    /// Whether the checksum of the IPv4 header is valid; true for IPv6, which has none.
    ///
    /// A host drops fragments with an invalid checksum: they must not contribute to a packet that it accepts.
    var isSound = true

    /// The key of no packet.
    static var nobody: FragmentKey {
        let unspecified = Address(ipv6High: 0, low: 0)
        return FragmentKey(source: unspecified, destination: unspecified, identification: 0, path: LinkPath())
    }

    /// The keyed hash: those of the addresses and the identification, hashed in turn. The other fields are the same for
    /// nearly all fragments with these in common.
    func hash(_ key: HashKey) -> UInt32 {
        let addresses = UInt64(key.hash(source)) << 32 | UInt64(key.hash(destination))
        return key.hash(Address(ipv6High: addresses, low: UInt64(identification)))
    }
}

/// A fragment: the key of its packet, and its position (RFC 791, section 3.2; RFC 8200, section 4.5).
struct Fragment {
    let name: FragmentKey

    /// The type of the first header in the fragmentable part. It is only significant in the fragment with offset 0.
    let next: UInt8
    let typeOfService: UInt8
    let timeToLive: UInt8

    /// The offset of its bytes in the fragmentable part, in bytes.
    let offset: Int

    /// The range of its captured bytes in the packet: at least one.
    let data: Range<Int>

    /// Parses a packet for which ``Probe/init(packet:)`` throws ``PacketFault/fragment``.
    ///
    /// If more fragments follow, the bytes past the last multiple of 8 are not part of the packet: Linux trims them in
    /// IPv4 (net/ipv4/ip_fragment.c, ip_frag_queue), and drops the fragment in IPv6.
    ///
    /// - Throws: ``PacketFault/malformed`` for fragments that every host drops: without bytes, or with bytes past the
    ///   maximum packet length; ``PacketFault/truncated`` if none of its bytes was captured.
    init(packet: Span<UInt8>, over path: LinkPath) throws(PacketFault) {
        let header = try IPHeader(packet: packet)
        if header.source.isIPv4 {
            try self.init(ipv4: packet, header, over: path)
        } else {
            try self.init(ipv6: packet, header, over: path)
        }
    }

    private init(ipv4 packet: Span<UInt8>, _ header: IPHeader, over path: LinkPath) throws(PacketFault) {
        try self.init(
            of: packet, header, header.part, header.label, over: path,
            isSound: try isSoundIPv4Header(at: 0, in: packet), next: header.next, start: header.length)
    }

    private init(ipv6 packet: Span<UInt8>, _ header: IPHeader, over path: LinkPath) throws(PacketFault) {
        var chain = IPv6ExtensionHeaders(behind: header)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet)
        } catch {
            if chain.fragmentHeader == nil { throw error }  // the headers after a fragment header may be incomplete
        }
        guard let place = chain.fragmentHeader else { throw .malformed }
        try self.init(
            of: packet, header, FragmentPart(ipv6: try packet.uint16(at: place + 2)),
            try packet.uint32(at: place + 4), over: path, next: try packet.uint8(at: place), start: place + 8)
    }

    private init(
        of packet: Span<UInt8>, _ header: IPHeader, _ part: FragmentPart, _ identification: UInt32,
        over path: LinkPath, isSound: Bool = true, next: UInt8, start: Int
    ) throws(PacketFault) {
        name = FragmentKey(
            source: header.source, destination: header.destination, identification: identification, path: path,
            isSound: isSound)
        self.next = next
        typeOfService = header.typeOfService
        timeToLive = header.timeToLive
        offset = part.offset
        data = try Fragment.data(from: start, to: header.statedEnd, part, captured: packet.count)
    }

    private static func data(
        from start: Int, to end: Int, _ part: FragmentPart, captured: Int
    ) throws(PacketFault) -> Range<Int> {
        if end <= start { throw .malformed }
        let length = part.isFollowed ? (end - start) & ~7 : end - start
        if length == 0 || part.offset + length > 65_535 { throw .malformed }
        if captured <= start { throw .truncated }
        return start..<min(start + length, captured)
    }
}
