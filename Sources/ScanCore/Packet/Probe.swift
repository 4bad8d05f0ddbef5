/// A packet as whoever looks for scans or attempts to connect sees it: who sent it where, and by what protocol. Whether it
/// is part of a scan, only what else its source sends can tell.
public struct Probe: Equatable, Sendable {
    /// Where the packet says it comes from. It can be forged.
    public var source: Address
    /// The address it was sent to.
    public var destination: Address
    /// The port it says it comes from, 0 to 65,535.
    public var sourcePort: UInt16
    /// The port it was sent to, 0 to 65,535.
    public var destinationPort: UInt16
    /// Its transport protocol, and what only that has.
    public var transport: Transport
    /// The type of service of IPv4 (RFC 791), the traffic class of IPv6.
    public var typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6, as it arrived.
    public var timeToLive: UInt8

    /// A transport protocol that can be scanned, and what only a packet of that has.
    public enum Transport: Equatable, Sendable {
        /// TCP (RFC 9293), with the flags of its header; `nil` where they were not seen, as the first fragment of the packet
        /// ends before them.
        case tcp(TCPFlags?)
    }

    /// A probe of given fields.
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

/// What a probe can be part of: what each transport protocol has to answer.
extension Probe {
    /// The flags of TCP, as far as they were seen.
    @inline(__always)
    public var flags: TCPFlags? {
        switch transport {
        case .tcp(let flags): flags
        }
    }

    /// Whether it is data on an open connection, and so no part of a scan.
    @inline(__always)
    public var isEstablishedData: Bool { flags?.isEstablishedData ?? false }

    /// Whether it may be an answer to us, or the middle of a connection: from a source that is not known it opens nothing.
    @inline(__always)
    var mayBeOfConnection: Bool { hasAny(of: .ack) }

    /// Whether it may answer a connection of our own, also by refusing it.
    @inline(__always)
    var mayBeAnswer: Bool { hasAny(of: .ack.union(.rst)) }

    /// Whether it attempts to open a connection: it has SYN and not ACK, whatever else it has, or its flags were not seen,
    /// as nobody sends such a fragment who has nothing to hide.
    var opensConnection: Bool {
        guard let flags else { return true }
        return flags.intersection(.syn.union(.ack)) == .syn
    }

    @inline(__always)
    private func hasAny(of some: TCPFlags) -> Bool { flags?.containsAny(of: some) ?? false }
}

// MARK: Reading

extension Probe {
    /// Reads a packet that begins with its IPv4 or IPv6 header.
    ///
    /// Bytes past the length that the IP header gives (padding of the link) are not looked at: see ``IPHeader/end``.
    ///
    /// IPv6 extension headers are walked to the end of the packet, however many there are: Linux does so too. A first
    /// fragment counts if it holds the whole TCP header; ``PacketFault/fragment`` says that it does not: see
    /// ``ProbeReader``.
    ///
    /// - Parameter packet: the packet from its IP header on, of any length, cut off anywhere.
    /// - Throws: why there is no probe in it.
    public init(packet: Span<UInt8>) throws(PacketFault) {
        switch try IPVersion(of: packet) {
        case .ipv4: try self.init(ipv4: packet)
        case .ipv6: try self.init(ipv6: packet)
        }
    }

    /// Reads a packet that is known to be of IPv4.
    @inline(__always)  // with the one of a TCP header: half the time of a packet
    init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        let header = try IPHeader(ipv4: packet)
        if header.next != IPProtocol.tcp { throw .otherProtocol }
        if header.part.offset > 0 { throw .fragment }
        // More follow, and they must: not the capture ends before the TCP header does, but the fragment.
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
        if header.count - offset < TCPHeader.length { throw .truncated }
        // The data offset, in units of 4 bytes, in the upper 4 bits; and the flags.
        let offsetAndFlags = try header.uint16(at: offset + TCPHeader.dataOffset)
        if offsetAndFlags >> 12 < TCPHeader.length / 4 { throw .malformed }
        self.init(
            source: source, destination: destination,
            sourcePort: try header.uint16(at: offset), destinationPort: try header.uint16(at: offset + 2),
            transport: .tcp(TCPFlags(rawValue: UInt8(truncatingIfNeeded: offsetAndFlags))),
            typeOfService: typeOfService, timeToLive: timeToLive)
    }

    /// Reads the ports of a packet that ends before its TCP header does, and the flags if it holds them: `nil` if it holds
    /// no ports.
    ///
    /// - Throws: see ``init(packet:)``; of a header that is too short if it holds what says so.
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
        } catch {
            if error == .fragment || error == .truncated { return nil }
            throw error
        }
    }
}
