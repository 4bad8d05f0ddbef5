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

    /// Reads what ``Segment/init(packet:)`` calls a fragment.
    ///
    /// Where more fragments follow, the bytes behind the last multiple of 8 are none of the packet's: Linux cuts them off
    /// in IPv4 (net/ipv4/ip_fragment.c, ip_frag_queue), and drops the fragment in IPv6.
    ///
    /// - Throws: ``PacketFault/malformed`` for what every host drops: no bytes, or bytes past the longest packet;
    ///   ``PacketFault/truncated`` if none of its bytes was captured.
    init(packet: Span<UInt8>, over path: LinkPath) throws(PacketFault) {
        if try packet.uint8(at: 0) >> 4 == 4 {
            try self.init(ipv4: packet, over: path)
        } else {
            try self.init(ipv6: packet, over: path)
        }
    }

    private init(ipv4 packet: Span<UInt8>, over path: LinkPath) throws(PacketFault) {
        let headerLength = Int(try packet.uint8(at: 0) & 15) * 4
        name = FragmentKey(
            source: Address(ipv4: try packet.uint32(at: 12)), destination: Address(ipv4: try packet.uint32(at: 16)),
            identification: UInt32(try packet.uint16(at: 4)), path: path,
            isSound: try isSoundIPv4Header(at: 0, in: packet))
        next = IPProtocol.tcp  // anything else is none of ours
        typeOfService = try packet.uint8(at: 1)
        timeToLive = try packet.uint8(at: 8)
        let field = try packet.uint16(at: 6)
        offset = Int(field & 0x1fff) * 8
        data = try Fragment.data(
            from: headerLength, to: Int(try packet.uint16(at: 2)),
            at: offset, isFollowed: field & 0x2000 != 0, captured: packet.count)
    }

    private init(ipv6 packet: Span<UInt8>, over path: LinkPath) throws(PacketFault) {
        var chain = IPv6ExtensionHeaders(next: try packet.uint8(at: 6), offset: 40)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet)
        } catch {
            if chain.fragmentHeader == nil { throw error }  // what follows a fragment header comes in pieces
        }
        guard let header = chain.fragmentHeader else { throw .malformed }
        name = FragmentKey(
            source: Address(ipv6High: try packet.uint64(at: 8), low: try packet.uint64(at: 16)),
            destination: Address(ipv6High: try packet.uint64(at: 24), low: try packet.uint64(at: 32)),
            identification: try packet.uint32(at: header + 4), path: path)
        next = try packet.uint8(at: header)
        typeOfService = UInt8(truncatingIfNeeded: try packet.uint16(at: 0) >> 4)
        timeToLive = try packet.uint8(at: 7)
        let field = try packet.uint16(at: header + 2)
        offset = Int(field & 0xfff8)
        data = try Fragment.data(
            from: header + 8, to: 40 + Int(try packet.uint16(at: 4)),
            at: offset, isFollowed: field & 1 != 0, captured: packet.count)
    }

    private static func data(
        from start: Int, to end: Int, at offset: Int, isFollowed: Bool, captured: Int
    ) throws(PacketFault) -> Range<Int> {
        if end <= start { throw .malformed }
        let length = isFollowed ? (end - start) & ~7 : end - start
        if length == 0 || offset + length > 65_535 { throw .malformed }
        if captured <= start { throw .truncated }
        return start..<min(start + length, captured)
    }
}

/// Whether an IPv4 header begins at an offset whose checksum is right (RFC 1071): its words add up to 0 in one's complement.
///
/// - Throws: ``PacketFault/truncated`` if the bytes end before it does.
package func isSoundIPv4Header(at start: Int, in bytes: Span<UInt8>) throws(PacketFault) -> Bool {
    let first = try bytes.uint8(at: start)
    let length = Int(first & 15) * 4
    if first >> 4 != 4 || length < 20 { return false }
    var sum = 0
    for offset in stride(from: start, to: start + length, by: 2) { sum += Int(try bytes.uint16(at: offset)) }
    return sum % 0xffff == 0
}
