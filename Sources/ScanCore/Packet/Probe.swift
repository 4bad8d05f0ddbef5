/// The fields of a packet that matter for detecting scans and connection attempts: addresses, ports and protocol.
/// Whether it is part of a scan depends on the other packets of its source.
///
/// It is stored in 40 bytes, with the two address families and what is known of the segment in one byte of bits: a flood
/// is copied as such.
public struct Probe: Equatable, Sendable {
    private var sourceHigh: UInt64
    private var sourceLow: UInt64
    private var destinationHigh: UInt64
    private var destinationLow: UInt64
    /// The source port, 0 to 65,535.
    public var sourcePort: UInt16
    /// The destination port, 0 to 65,535.
    public var destinationPort: UInt16
    /// The flags of TCP, none if they were not seen.
    private var seenFlags: TCPFlags
    private var marks: Marks
    /// The type of service of IPv4 (RFC 791), the traffic class of IPv6.
    public var typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6, on arrival.
    public var timeToLive: UInt8

    /// A transport protocol that can be scanned, with its specific fields.
    public enum Transport: Equatable, Sendable {
        /// TCP (RFC 9293), with the flags of its header; `nil` if they were not seen, because the first fragment of the
        /// packet ends before them.
        case tcp(TCPFlags?)
    }

    /// Creates a probe from its fields.
    @inline(__always)
    public init(
        source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16,
        transport: Transport, typeOfService: UInt8, timeToLive: UInt8
    ) {
        sourceHigh = source.high
        sourceLow = source.low
        destinationHigh = destination.high
        destinationLow = destination.low
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.typeOfService = typeOfService
        self.timeToLive = timeToLive
        seenFlags = .none
        marks = Marks(rawValue: 0)
        marks.set(.sourceIsIPv4, to: source.isIPv4)
        marks.set(.destinationIsIPv4, to: destination.isIPv4)
        self.transport = transport
    }

    /// The source address in the packet. It can be forged.
    @inline(__always)
    public var source: Address {
        get { Address(high: sourceHigh, low: sourceLow, isIPv4: marks.contains(.sourceIsIPv4)) }
        set {
            sourceHigh = newValue.high
            sourceLow = newValue.low
            marks.set(.sourceIsIPv4, to: newValue.isIPv4)
        }
    }

    /// The destination address.
    @inline(__always)
    public var destination: Address {
        get { Address(high: destinationHigh, low: destinationLow, isIPv4: marks.contains(.destinationIsIPv4)) }
        set {
            destinationHigh = newValue.high
            destinationLow = newValue.low
            marks.set(.destinationIsIPv4, to: newValue.isIPv4)
        }
    }

    /// The transport protocol, with its specific fields.
    @inline(__always)
    public var transport: Transport {
        get { .tcp(marks.contains(.flagsAreUnseen) ? nil : seenFlags) }
        set {
            switch newValue {
            case .tcp(let flags):
                seenFlags = flags ?? .none
                marks.set(.flagsAreUnseen, to: flags == nil)
            }
        }
    }

    /// Whether the sequence number of a segment with RST is 0, as in what answers a segment without ACK (RFC 9293,
    /// section 3.10.7.1).
    var hasZeroSequence: Bool {
        get { marks.contains(.sequenceIsZero) }
        set { marks.set(.sequenceIsZero, to: newValue) }
    }

    /// Whether the acknowledgment field of a segment with RST is 0, as in what answers a segment with ACK.
    var hasZeroAcknowledgment: Bool {
        get { marks.contains(.acknowledgmentIsZero) }
        set { marks.set(.acknowledgmentIsZero, to: newValue) }
    }

    /// Copies another probe field by field: as a whole it would be read in larger pieces than it was written in a moment
    /// ago, for which the processor has to wait.
    @inline(__always)
    mutating func assign(_ other: Probe) {
        sourceHigh = other.sourceHigh
        sourceLow = other.sourceLow
        destinationHigh = other.destinationHigh
        destinationLow = other.destinationLow
        sourcePort = other.sourcePort
        destinationPort = other.destinationPort
        seenFlags = other.seenFlags
        marks = other.marks
        typeOfService = other.typeOfService
        timeToLive = other.timeToLive
    }

    /// Bits that are true or not of a probe.
    struct Marks: Equatable, Sendable {
        var rawValue: UInt8

        static let destinationIsIPv4 = Marks(rawValue: 1)
        static let sourceIsIPv4 = Marks(rawValue: 2)
        static let flagsAreUnseen = Marks(rawValue: 4)
        static let sequenceIsZero = Marks(rawValue: 8)
        static let acknowledgmentIsZero = Marks(rawValue: 16)

        @inline(__always)
        func contains(_ mark: Marks) -> Bool { rawValue & mark.rawValue != 0 }

        @inline(__always)
        mutating func set(_ mark: Marks, to isSet: Bool) {
            rawValue = rawValue & ~mark.rawValue | (isSet ? mark.rawValue : 0)
        }
    }

    /// The families of its addresses, ``Marks/destinationIsIPv4`` and ``Marks/sourceIsIPv4``.
    @inline(__always)
    var families: UInt8 { marks.rawValue & 3 }

    /// The flags that were seen, none if they were not.
    @inline(__always)
    var flagsEverSet: TCPFlags { seenFlags }

    /// The flags that may have been set in all segments so far: all if they were not seen.
    @inline(__always)
    var flagsAlwaysSet: TCPFlags { marks.contains(.flagsAreUnseen) ? .all : seenFlags }
}

extension Probe {
    /// All zero: of nobody.
    static var none: Probe {
        let unspecified = Address(ipv6High: 0, low: 0)
        return Probe(
            source: unspecified, destination: unspecified, sourcePort: 0, destinationPort: 0,
            transport: .tcp(TCPFlags.none), typeOfService: 0, timeToLive: 0)
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
    public var isEstablishedData: Bool { seenFlags.isEstablishedData }

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
        marks.contains(.flagsAreUnseen) || seenFlags.intersection(.syn.union(.ack)) == .syn
    }

    @inline(__always)
    private func hasAny(of some: TCPFlags) -> Bool { seenFlags.containsAny(of: some) }
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

    /// Whether a packet is what floods consist of: a whole IPv4 packet without options that begins with a TCP header.
    @inline(__always)
    static func isPlain(_ packet: Span<UInt8>) throws(PacketFault) -> Bool {
        let shortest = 20 + TCPHeader.length
        if packet.count < shortest { return false }
        let versionAndLength = try packet.uint8(at: 0)
        let length = Int(try packet.uint16(at: 2))
        // Neither more fragments nor an offset: all but the flag that forbids them, and the one that is reserved.
        let fragment = try packet.uint16(at: 6) & 0x3fff
        let offsetAndFlags = try packet.uint16(at: 20 + TCPHeader.dataOffset)
        let transport = try packet.uint8(at: 9)
        return versionAndLength == 0x45 && length >= shortest && length <= packet.count && fragment == 0
            && transport == IPProtocol.tcp && offsetAndFlags >> 12 >= TCPHeader.length / 4
    }

    /// Parses such a packet: the same probe as that of ``init(packet:)``, in a third of the time, as all that is read is
    /// at known places.
    @inline(__always)
    init(plain packet: Span<UInt8>) throws(PacketFault) {
        let flags = try packet.uint8(at: 20 + TCPHeader.dataOffset + 1)
        self.init(
            source: Address(ipv4: try packet.uint32(at: 12)), destination: Address(ipv4: try packet.uint32(at: 16)),
            sourcePort: try packet.uint16(at: 20), destinationPort: try packet.uint16(at: 22),
            transport: .tcp(TCPFlags(rawValue: flags)), typeOfService: try packet.uint8(at: 1),
            timeToLive: try packet.uint8(at: 8))
        try readNumbers(in: packet, at: 20)
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
