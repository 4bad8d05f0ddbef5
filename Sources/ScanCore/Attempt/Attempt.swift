/// Who tried to reach what, and when.
public struct Attempt: Equatable, Sendable {
    /// Where the packet says it comes from. It can be forged.
    public var source: Address
    /// The address it was sent to.
    public var destination: Address
    /// The port it says it comes from, 0 to 65,535.
    public var sourcePort: UInt16
    /// The port it was sent to, 0 to 65,535.
    public var destinationPort: UInt16
    /// When it came, in nanoseconds since 1970 UTC.
    public var realTime: Int64

    /// An attempt of its parts.
    public init(source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16, realTime: Int64) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.realTime = realTime
    }

    /// What a segment attempts: a connection, if it has SYN and not ACK, whatever else it has, or if its flags were not
    /// seen, as nobody sends such a fragment who has nothing to hide; else `nil`.
    public init?(_ segment: Segment, realTime: Int64) {
        if let flags = segment.flags, flags.intersection(.syn.union(.ack)) != .syn { return nil }
        self.init(
            source: segment.source, destination: segment.destination,
            sourcePort: segment.sourcePort, destinationPort: segment.destinationPort, realTime: realTime)
    }

    /// What a packet of TCP or UDP attempts, whatever it says: it begins with its IP header and holds the ports.
    ///
    /// - Throws: ``PacketFault/fragment`` for a fragment that does not hold the ports, ``PacketFault/notTCP`` for what
    ///   is neither TCP nor UDP, and what ``Segment/init(packet:)`` throws.
    public init(packet: Span<UInt8>, realTime: Int64) throws(PacketFault) {
        let header = try TransportHeader(packet: packet)
        let ports = try header.ports(in: packet)
        self.init(
            source: header.ip.source, destination: header.ip.destination,
            sourcePort: ports.source, destinationPort: ports.destination, realTime: realTime)
    }
}
