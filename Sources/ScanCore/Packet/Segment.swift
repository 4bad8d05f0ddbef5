/// The fields of one TCP segment that the decision uses.
public struct Segment: Equatable, Sendable {
    /// Where the packet says it comes from. It can be forged.
    public var source: Address
    /// The address it was sent to.
    public var destination: Address
    /// The port it says it comes from, 0 to 65,535.
    public var sourcePort: UInt16
    /// The port it was sent to, 0 to 65,535.
    public var destinationPort: UInt16
    /// The flags of the TCP header; `nil` where they were not seen, as the first fragment of the packet ends before them.
    public var flags: TCPFlags?
    /// The type of service of IPv4 (RFC 791), the traffic class of IPv6.
    public var typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6, as it arrived.
    public var timeToLive: UInt8

    /// A segment of given fields.
    public init(
        source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16,
        flags: TCPFlags?, typeOfService: UInt8, timeToLive: UInt8
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.flags = flags
        self.typeOfService = typeOfService
        self.timeToLive = timeToLive
    }

    /// Whether its flags are exactly those of data on an open connection: see ``TCPFlags/isEstablishedData``.
    public var isEstablishedData: Bool { flags?.isEstablishedData ?? false }

    /// Whether any of some flags was seen in it.
    func hasAny(of some: TCPFlags) -> Bool { flags?.containsAny(of: some) ?? false }
}

/// Why a packet gives no segment.
public enum PacketFault: Error, Equatable, Sendable {
    /// It is well formed, and not TCP over IP.
    case notTCP
    /// It is a fragment that does not hold the whole TCP header, so nothing in it can be relied on alone.
    case fragment
    /// It ends before the 20 bytes of the TCP header do, or its own length says so.
    case truncated
    /// A header contradicts itself.
    case malformed
}

extension Segment {
    /// The shortest TCP header, in bytes (RFC 9293, section 3.1).
    public static let headerLength = 20

    /// Reads a packet that begins with its IPv4 or IPv6 header.
    ///
    /// Bytes past the length that the IP header gives (padding of the link) are not looked at; a length of 0, which
    /// Linux gives packets joined to over 65,535 bytes, stands for all there are. Checksums are not checked: a host
    /// that drops the packet was probed all the same.
    ///
    /// IPv6 extension headers are walked to the end of the packet, however many there are: Linux does so too. A first
    /// fragment counts if it holds the whole TCP header; ``PacketFault/fragment`` says that it does not: see
    /// ``SegmentReader``.
    ///
    /// - Parameter packet: the packet from its IP header on, of any length, cut off anywhere.
    /// - Throws: why there is no segment in it.
    public init(packet: Span<UInt8>) throws(PacketFault) {
        switch try packet.uint8(at: 0) >> 4 {
        case 4: try self.init(ipv4: packet)
        case 6: try self.init(ipv6: packet)
        default: throw .malformed
        }
    }

    /// Reads a TCP header whose IP header is gone, as IPv6 raw sockets give it.
    ///
    /// - Parameters:
    ///   - header: what the TCP header is in, cut off anywhere.
    ///   - offset: where in it the TCP header begins, in bytes.
    /// - Throws: ``PacketFault/truncated`` if the header is not whole, ``PacketFault/malformed`` if it says that it is shorter
    ///   than any can be: no host takes that.
    @inline(__always)
    public init(
        tcpHeader header: Span<UInt8>, at offset: Int = 0,
        source: Address, destination: Address, typeOfService: UInt8, timeToLive: UInt8
    ) throws(PacketFault) {
        if header.count - offset < Segment.headerLength { throw .truncated }
        // The data offset, in units of 4 bytes, in the upper 4 bits; and the flags.
        let offsetAndFlags = try header.uint16(at: offset + 12)
        if offsetAndFlags >> 12 < Segment.headerLength / 4 { throw .malformed }
        self.init(
            source: source, destination: destination,
            sourcePort: try header.uint16(at: offset), destinationPort: try header.uint16(at: offset + 2),
            flags: TCPFlags(rawValue: UInt8(truncatingIfNeeded: offsetAndFlags)),
            typeOfService: typeOfService, timeToLive: timeToLive)
    }

    @inline(__always)  // with the next one: half the time of a packet
    init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        let headerLength = Int(try packet.uint8(at: 0) & 15) * 4
        if headerLength < 20 { throw .malformed }
        if packet.count < 20 { throw .truncated }  // also spares a check for each field
        let source = Address(ipv4: try packet.uint32(at: 12))
        let destination = Address(ipv4: try packet.uint32(at: 16))
        if try packet.uint8(at: 9) != IPProtocol.tcp { throw .notTCP }
        let fragment = try packet.uint16(at: 6)
        if fragment & 0x1fff != 0 { throw .fragment }
        let totalLength = Int(try packet.uint16(at: 2))
        // The padding of a short Ethernet frame makes 46 bytes at most: they are no joined packet.
        let end = totalLength == 0 && packet.count > 46 ? packet.count : min(totalLength, packet.count)
        // More follow, and they must: not the capture ends before the TCP header does, but the fragment.
        if fragment & 0x2000 != 0 && 0 < totalLength && totalLength < headerLength + Segment.headerLength
            && totalLength <= packet.count
        {
            throw .fragment
        }
        try self.init(
            tcpHeader: packet.extracting(0..<end), at: headerLength,
            source: source, destination: destination,
            typeOfService: try packet.uint8(at: 1), timeToLive: try packet.uint8(at: 8))
    }

    private init(ipv6 packet: Span<UInt8>) throws(PacketFault) {
        if packet.count < 40 { throw .truncated }  // also spares a check for each field
        let source = Address(ipv6High: try packet.uint64(at: 8), low: try packet.uint64(at: 16))
        let destination = Address(ipv6High: try packet.uint64(at: 24), low: try packet.uint64(at: 32))
        let payloadLength = Int(try packet.uint16(at: 4))
        let end = payloadLength == 0 ? packet.count : min(40 + payloadLength, packet.count)
        let bounded = packet.extracting(0..<end)
        let trafficClass = UInt8(truncatingIfNeeded: try packet.uint16(at: 0) >> 4)
        var chain = IPv6ExtensionHeaders(next: try packet.uint8(at: 6), offset: 40)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: bounded)
            try self.init(
                tcpHeader: bounded, at: chain.offset,
                source: source, destination: destination,
                typeOfService: trafficClass, timeToLive: try packet.uint8(at: 7))
        } catch {
            // Not the capture ends before the TCP header does, but the first fragment.
            let endsThere = payloadLength > 0 && 40 + payloadLength <= packet.count
            if error == .truncated && endsThere && chain.fragmentHeader != nil { throw .fragment }
            throw error
        }
    }
}
