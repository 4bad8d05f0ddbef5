/// The fields of a packet that matter for detecting scans and connection attempts: addresses, ports and protocol.
/// Whether it is part of a scan depends on the other packets of its source.
public struct Probe: Equatable, Sendable {
    /// The source address in the packet. It can be forged.
    public var source: Address
    /// The destination address.
    public var destination: Address
    /// The source port, 0 to 65,535.
    public var sourcePort: UInt16
    /// The destination port, 0 to 65,535.
    public var destinationPort: UInt16
    /// The transport protocol, with its specific fields.
    public var transport: Transport
    /// The type of service of IPv4 (RFC 791), the traffic class of IPv6.
    public var typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6, on arrival.
    public var timeToLive: UInt8

    /// Of a segment with RST: whether its sequence number is 0, and whether its acknowledgment field is, as in what
    /// answers a segment without ACK, and one with it (RFC 9293, section 3.10.7.1).
    var hasZeroSequence = false
    var hasZeroAcknowledgment = false

    /// A transport protocol that can be scanned, with its specific fields.
    public enum Transport: Equatable, Sendable {
        /// TCP (RFC 9293), with the flags of its header; `nil` if they were not seen, because the first fragment of the
        /// packet ends before them.
        case tcp(TCPFlags?)
    }

    /// Creates a probe from its fields.
    public init(
        source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16,
        transport: Transport, typeOfService: UInt8, timeToLive: UInt8
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.transport = transport
        self.typeOfService = typeOfService
        self.timeToLive = timeToLive
    }
}

/// The classification of a probe, which every transport protocol has to provide.
extension Probe {
    /// The TCP flags, if they were seen.
    @inline(__always)
    public var flags: TCPFlags? {
        switch transport {
        case .tcp(let flags): flags
        }
    }

    /// Whether it is data on an established connection, and so not part of a scan.
    @inline(__always)
    public var isEstablishedData: Bool { flags?.isEstablishedData ?? false }

    /// Whether it may be a reply to this host, or part of an established connection: from an unknown source it is not
    /// counted.
    @inline(__always)
    var mayBeOfConnection: Bool { hasAny(of: .ack) }

    /// Whether it may be a reply to an outgoing connection, including a refusal.
    @inline(__always)
    var mayBeAnswer: Bool { hasAny(of: .ack.union(.rst)) }

    /// Whether it attempts to open a connection: it has SYN without ACK, whatever else is set, or its flags were not
    /// seen, as such fragments are only sent to evade detection.
    var opensConnection: Bool {
        guard let flags else { return true }
        return flags.intersection(.syn.union(.ack)) == .syn
    }

    @inline(__always)
    private func hasAny(of some: TCPFlags) -> Bool { flags?.containsAny(of: some) ?? false }
}

// MARK: Reading

extension Probe {
    /// Parses a packet that begins with its IPv4 or IPv6 header.
    ///
    /// Bytes past the length in the IP header (link-layer padding) are ignored: see ``IPHeader/end``.
    ///
    /// IPv6 extension headers are followed to the end of the packet, however many there are, as in Linux. A first
    /// fragment counts if it holds the whole TCP header; otherwise this throws ``PacketFault/fragment``: see
    /// ``ProbeReader``.
    ///
    /// - Parameter packet: the packet from its IP header on, of any length, possibly truncated.
    /// - Throws: the reason why it yields no probe.
    public init(packet: Span<UInt8>) throws(PacketFault) {
        switch try IPVersion(of: packet) {
        case .ipv4: try self.init(ipv4: packet)
        case .ipv6: try self.init(ipv6: packet)
        }
    }

    /// Parses a packet that is known to be IPv4.
    @inline(__always)  // with the initialiser for a TCP header: half the time of a packet
    init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        let header = try IPHeader(ipv4: packet)
        if header.next != IPProtocol.tcp { throw .otherProtocol }
        if header.part.offset > 0 { throw .fragment }
        // More fragments follow, as they must: the fragment ends before the TCP header does, not the capture.
        if header.part.isFollowed && header.isWhole && header.end < header.length + TCPHeader.length {
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
            // The first fragment ends before the TCP header does, not the capture.
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

    /// Parses a TCP header without its IP header, as IPv6 raw sockets deliver it.
    ///
    /// - Parameters:
    ///   - header: the bytes with the TCP header, possibly truncated.
    ///   - offset: the offset of the TCP header in them, in bytes.
    /// - Throws: ``PacketFault/truncated`` if the header is not complete, ``PacketFault/malformed`` if its length field
    ///   is below the minimum: every host drops that.
    @inline(__always)
    public init(
        tcpHeader header: Span<UInt8>, at offset: Int = 0,
        source: Address, destination: Address, typeOfService: UInt8, timeToLive: UInt8
    ) throws(PacketFault) {
        if header.count - offset < TCPHeader.length { throw .truncated }
        // The data offset, in units of 4 bytes, in the upper 4 bits; and the flags.
        let offsetAndFlags = try header.uint16(at: offset + TCPHeader.dataOffset)
        if offsetAndFlags >> 12 < TCPHeader.length / 4 { throw .malformed }
        self.init(
            source: source, destination: destination,
            sourcePort: try header.uint16(at: offset), destinationPort: try header.uint16(at: offset + 2),
            transport: .tcp(TCPFlags(rawValue: UInt8(truncatingIfNeeded: offsetAndFlags))),
            typeOfService: typeOfService, timeToLive: timeToLive)
        try readNumbers(in: header, at: offset)
    }

    /// Reads the numbers of a segment with RST, in a header that holds the flags, and so these.
    @inline(__always)
    mutating func readNumbers(in header: Span<UInt8>, at offset: Int) throws(PacketFault) {
        guard let flags, flags.containsAny(of: .rst) else { return }
        hasZeroSequence = try header.uint32(at: offset + 4) == 0
        hasZeroAcknowledgment = try header.uint32(at: offset + 8) == 0
    }

    /// Parses the ports of a packet that ends within its TCP header, and the flags if it holds them; `nil` if it holds
    /// no ports.
    ///
    /// - Throws: see ``init(packet:)``; ``PacketFault/malformed`` for a header length below the minimum if the packet
    ///   holds that field.
    init?(beginningIn packet: Span<UInt8>) throws(PacketFault) {
        do throws(PacketFault) {
            let header = try TransportHeader(packet: packet)
            if header.kind != IPProtocol.tcp { return nil }
            let ports = try header.ports(in: packet)
            let payload = packet.extracting(header.range)
            if payload.hasTooShortTCPHeader(at: 0) { throw .malformed }
            self.init(
                source: header.ip.source, destination: header.ip.destination,
                sourcePort: ports.source, destinationPort: ports.destination,
                transport: .tcp(TCPFlags(inHeaderAt: 0, of: payload)),
                typeOfService: header.ip.typeOfService, timeToLive: header.ip.timeToLive)
            try readNumbers(in: payload, at: 0)
        } catch {
            if error == .fragment || error == .truncated { return nil }
            throw error
        }
    }
}
