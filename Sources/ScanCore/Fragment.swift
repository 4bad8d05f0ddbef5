/// What the fragments of a packet have in common, and those of another don't.
struct PacketName: Equatable, Sendable {
    var source: Address
    var destination: Address
    var identification: UInt32

    /// Whether the checksum of the IP header is right, where it has one.
    ///
    /// A host drops the fragments where it isn't: they must not get into a packet that it takes.
    var isSound = true

    /// A hash under a key: those of the addresses and the identification, hashed in turn.
    func hash(_ key: HashKey) -> UInt32 {
        let addresses = UInt64(key.hash(source)) << 32 | UInt64(key.hash(destination))
        return key.hash(Address(ipv6High: addresses, low: UInt64(identification)))
    }
}

/// A fragment: the packet it is of, and which part (RFC 791, section 3.2; RFC 8200, section 4.5).
struct Fragment {
    let name: PacketName

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
    /// - Throws: ``PacketFault/malformed`` for what kernels drop: no bytes, a number of bytes not divisible by 8 with
    ///   more to follow, or bytes past the longest packet; ``PacketFault/truncated`` if none of its bytes was captured.
    init(packet: Span<UInt8>) throws(PacketFault) {
        if try packet.uint8(at: 0) >> 4 == 4 {
            try self.init(ipv4: packet)
        } else {
            try self.init(ipv6: packet)
        }
    }

    private init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        let headerLength = Int(try packet.uint8(at: 0) & 15) * 4
        name = PacketName(
            source: Address(ipv4: try packet.uint32(at: 12)), destination: Address(ipv4: try packet.uint32(at: 16)),
            identification: UInt32(try packet.uint16(at: 4)),
            isSound: try Fragment.isSound(header: packet, length: headerLength))
        next = IPProtocol.tcp  // anything else is none of ours
        typeOfService = try packet.uint8(at: 1)
        timeToLive = try packet.uint8(at: 8)
        let field = try packet.uint16(at: 6)
        offset = Int(field & 0x1fff) * 8
        data = try Fragment.data(
            from: headerLength, to: Int(try packet.uint16(at: 2)),
            at: offset, moreFollow: field & 0x2000 != 0, captured: packet.count)
    }

    private init(ipv6 packet: Span<UInt8>) throws(PacketFault) {
        var chain = HeaderChain(next: try packet.uint8(at: 6), offset: 40)
        do throws(PacketFault) {
            try chain.walkToTCP(in: packet)
        } catch {
            if chain.fragmentHeader == nil { throw error }  // what follows a fragment header comes in pieces
        }
        guard let header = chain.fragmentHeader else { throw .malformed }
        name = PacketName(
            source: Address(ipv6High: try packet.uint64(at: 8), low: try packet.uint64(at: 16)),
            destination: Address(ipv6High: try packet.uint64(at: 24), low: try packet.uint64(at: 32)),
            identification: try packet.uint32(at: header + 4))
        next = try packet.uint8(at: header)
        typeOfService = UInt8(truncatingIfNeeded: try packet.uint16(at: 0) >> 4)
        timeToLive = try packet.uint8(at: 7)
        let field = try packet.uint16(at: header + 2)
        offset = Int(field & 0xfff8)
        data = try Fragment.data(
            from: header + 8, to: 40 + Int(try packet.uint16(at: 4)),
            at: offset, moreFollow: field & 1 != 0, captured: packet.count)
    }

    /// Whether the checksum of an IPv4 header is right (RFC 1071): its words add up to 0 in one's complement.
    private static func isSound(header: Span<UInt8>, length: Int) throws(PacketFault) -> Bool {
        var sum = 0
        for offset in stride(from: 0, to: length, by: 2) { sum += Int(try header.uint16(at: offset)) }
        return sum % 0xffff == 0
    }

    private static func data(
        from start: Int, to end: Int, at offset: Int, moreFollow: Bool, captured: Int
    ) throws(PacketFault) -> Range<Int> {
        let length = end - start
        if length <= 0 || moreFollow && length % 8 != 0 || offset + length > 65_535 { throw .malformed }
        if captured <= start { throw .truncated }
        return start..<min(end, captured)
    }
}
