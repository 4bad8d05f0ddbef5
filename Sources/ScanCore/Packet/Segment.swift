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
    /// Bytes past the length that the IP header gives (padding of the link) are not looked at: see ``IPHeader/end``.
    ///
    /// IPv6 extension headers are walked to the end of the packet, however many there are: Linux does so too. A first
    /// fragment counts if it holds the whole TCP header; ``PacketFault/fragment`` says that it does not: see
    /// ``SegmentReader``.
    ///
    /// - Parameter packet: the packet from its IP header on, of any length, cut off anywhere.
    /// - Throws: why there is no segment in it.
    public init(packet: Span<UInt8>) throws(PacketFault) {
        switch try IPVersion(of: packet) {
        case .ipv4: try self.init(ipv4: packet)
        case .ipv6: try self.init(ipv6: packet)
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

    /// Reads a packet that is known to be of IPv4.
    @inline(__always)  // with the next one: half the time of a packet
    init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        let header = try IPHeader(ipv4: packet)
        if header.next != IPProtocol.tcp { throw .notTCP }
        if header.part.offset > 0 { throw .fragment }
        // More follow, and they must: not the capture ends before the TCP header does, but the fragment.
        if header.part.isFollowed && header.isWhole && header.end < header.length + Segment.headerLength {
            throw .fragment
        }
        try self.init(header, tcpHeaderAt: header.length, of: packet)
    }

    private init(ipv6 packet: Span<UInt8>) throws(PacketFault) {
        let header = try IPHeader(ipv6: packet)
        var chain = IPv6ExtensionHeaders(behind: header)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: packet.extracting(..<header.end))
            try self.init(header, tcpHeaderAt: chain.offset, of: packet)
        } catch {
            // Not the capture ends before the TCP header does, but the first fragment.
            if error == .truncated && header.isWhole && chain.fragmentHeader != nil { throw .fragment }
            throw error
        }
    }

    @inline(__always)
    private init(_ header: IPHeader, tcpHeaderAt offset: Int, of packet: Span<UInt8>) throws(PacketFault) {
        try self.init(
            tcpHeader: packet.extracting(..<header.end), at: offset,
            source: header.source, destination: header.destination,
            typeOfService: header.typeOfService, timeToLive: header.timeToLive)
    }
}
