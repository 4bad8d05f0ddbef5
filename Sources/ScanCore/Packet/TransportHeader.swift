/// Where in a packet the header of TCP or UDP begins, or in a fragment the beginning of one.
///
/// Less is asked for than ``Segment`` asks: ports are enough for some.
struct TransportHeader {
    let source: Address
    let destination: Address
    let typeOfService: UInt8
    let timeToLive: UInt8
    /// What follows: ``IPProtocol/tcp`` or ``IPProtocol/udp``.
    let kind: UInt8
    /// Where it begins, in bytes.
    let offset: Int
    /// Where the packet ends, in bytes: it may be before anything of the header.
    let end: Int

    /// Finds the header in a packet that begins with its IP header: see ``Segment/init(packet:)``.
    ///
    /// - Throws: ``PacketFault/fragment`` for any fragment but the first, ``PacketFault/notTCP`` for what is neither.
    init(packet: Span<UInt8>) throws(PacketFault) {
        switch try packet.uint8(at: 0) >> 4 {
        case 4: try self.init(ipv4: packet)
        case 6: try self.init(ipv6: packet)
        default: throw .malformed
        }
    }

    private init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        offset = Int(try packet.uint8(at: 0) & 15) * 4
        if offset < 20 { throw .malformed }
        source = Address(ipv4: try packet.uint32(at: 12))
        destination = Address(ipv4: try packet.uint32(at: 16))
        typeOfService = try packet.uint8(at: 1)
        timeToLive = try packet.uint8(at: 8)
        kind = try packet.uint8(at: 9)
        if kind != IPProtocol.tcp && kind != IPProtocol.udp { throw .notTCP }
        if try packet.uint16(at: 6) & 0x1fff != 0 { throw .fragment }
        let totalLength = Int(try packet.uint16(at: 2))
        // The same exception as in `Segment`: a joined packet of over 65,535 bytes.
        end = totalLength == 0 && packet.count > 46 ? packet.count : min(totalLength, packet.count)
    }

    private init(ipv6 packet: Span<UInt8>) throws(PacketFault) {
        source = Address(ipv6High: try packet.uint64(at: 8), low: try packet.uint64(at: 16))
        destination = Address(ipv6High: try packet.uint64(at: 24), low: try packet.uint64(at: 32))
        typeOfService = UInt8(truncatingIfNeeded: try packet.uint16(at: 0) >> 4)
        timeToLive = try packet.uint8(at: 7)
        let payloadLength = Int(try packet.uint16(at: 4))
        end = payloadLength == 0 ? packet.count : min(40 + payloadLength, packet.count)
        var chain = IPv6ExtensionHeaders(next: try packet.uint8(at: 6), offset: 40)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet.extracting(0..<end))
        } catch {
            if error != .notTCP || chain.next != IPProtocol.udp { throw error }
        }
        kind = chain.next
        offset = chain.offset
    }

    /// The ports: the source's in the upper half.
    ///
    /// - Throws: ``PacketFault/truncated`` if they are not there.
    func ports(in packet: Span<UInt8>) throws(PacketFault) -> (source: UInt16, destination: UInt16) {
        let bounded = packet.extracting(0..<end)
        return (try bounded.uint16(at: offset), try bounded.uint16(at: offset + 2))
    }
}

extension Segment {
    /// Reads the ports of a packet that ends before its TCP header does, and the flags if it holds them: `nil` if it holds
    /// no ports.
    ///
    /// - Throws: see ``init(packet:)``; of a header that is too short if it holds what says so.
    init?(beginningIn packet: Span<UInt8>) throws(PacketFault) {
        do throws(PacketFault) {
            let header = try TransportHeader(packet: packet)
            if header.kind != IPProtocol.tcp { return nil }
            let ports = try header.ports(in: packet)
            let bounded = packet.extracting(0..<header.end)
            if bounded.hasTooShortTCPHeader(at: header.offset) { throw .malformed }
            self.init(
                source: header.source, destination: header.destination,
                sourcePort: ports.source, destinationPort: ports.destination,
                flags: TCPFlags(inHeaderAt: header.offset, of: bounded),
                typeOfService: header.typeOfService, timeToLive: header.timeToLive)
        } catch {
            if error == .fragment || error == .truncated { return nil }
            throw error
        }
    }
}

extension TCPFlags {
    /// Where in a TCP header the flags are.
    private static var offset: Int { 13 }

    /// The flags of a header that begins at an offset; `nil` if the bytes end before them.
    init?(inHeaderAt offset: Int, of bytes: Span<UInt8>) {
        let place = offset + TCPFlags.offset
        if place >= bytes.count { return nil }
        self.init(rawValue: bytes[place])
    }
}

extension Span<UInt8> {
    /// Whether a TCP header that begins at an offset says that it is shorter than any can be, as far as its bytes are here.
    ///
    /// The field is in the same 8 bytes as the flags: where fragments divide a header, one that holds these holds it too, and
    /// what a host joins has it from there.
    func hasTooShortTCPHeader(at offset: Int) -> Bool {
        let place = offset + 12
        return place < count && Int(self[place] >> 4) * 4 < Segment.headerLength
    }
}
