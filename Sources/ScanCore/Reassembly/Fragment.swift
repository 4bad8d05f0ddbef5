/// What the fragments of a packet have in common, and those of another don't.
struct FragmentKey: Equatable, Sendable {
    var source: Address
    var destination: Address
    var identification: UInt32

    /// Over which link it came.
    var path: LinkPath

    /// Whether the checksum of the IP header is right, where it has one.
    ///
    /// A host drops the fragments where it isn't: they must not get into a packet that it takes.
    var isSound = true

    /// The name of no packet.
    static var nobody: FragmentKey {
        let unspecified = Address(ipv6High: 0, low: 0)
        return FragmentKey(source: unspecified, destination: unspecified, identification: 0, path: LinkPath())
    }

    /// A hash under a key: those of the addresses and the identification, hashed in turn. The rest is the same for nearly
    /// all that have these in common.
    func hash(_ key: HashKey) -> UInt32 {
        let addresses = UInt64(key.hash(source)) << 32 | UInt64(key.hash(destination))
        return key.hash(Address(ipv6High: addresses, low: UInt64(identification)))
    }
}

/// A fragment: the packet it is of, and which part (RFC 791, section 3.2; RFC 8200, section 4.5).
struct Fragment {
    let name: FragmentKey

    /// What the fragmentable part begins with. It counts in the fragment with offset 0 only.
    let next: UInt8
    let typeOfService: UInt8
    let timeToLive: UInt8

    /// Where in the fragmentable part its bytes belong, in bytes.
    let offset: Int

    /// Which of the bytes that it was read from are its own and captured: at least one.
    let data: Range<Int>

    /// Reads what ``Probe/init(packet:)`` calls a fragment.
    ///
    /// Where more fragments follow, the bytes behind the last multiple of 8 are none of the packet's: Linux cuts them off
    /// in IPv4 (net/ipv4/ip_fragment.c, ip_frag_queue), and drops the fragment in IPv6.
    ///
    /// - Throws: ``PacketFault/malformed`` for what every host drops: no bytes, or bytes past the longest packet;
    ///   ``PacketFault/truncated`` if none of its bytes was captured.
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
            if chain.fragmentHeader == nil { throw error }  // what follows a fragment header comes in pieces
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
