/// A connection attempt: source, destination and time.
public struct Attempt: Equatable, Sendable {
    /// The source address in the packet. It can be forged.
    public var source: Address
    /// The destination address.
    public var destination: Address
    /// The source port, 0 to 65,535.
    public var sourcePort: UInt16
    /// The destination port, 0 to 65,535.
    public var destinationPort: UInt16
    /// The arrival time, in nanoseconds since 1970 UTC.
    public var realTime: Int64

    /// Creates an attempt from its fields.
    public init(source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16, realTime: Int64) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.realTime = realTime
    }

    /// The attempt that a probe makes, or `nil` if the probe does not open a connection.
    public init?(_ probe: Probe, realTime: Int64) {
        if !probe.opensConnection { return nil }
        self.init(
            source: probe.source, destination: probe.destination,
            sourcePort: probe.sourcePort, destinationPort: probe.destinationPort, realTime: realTime)
    }

    /// The attempt that a TCP or UDP packet makes, regardless of its flags. The packet begins with its IP header and
    /// must hold the ports.
    ///
    /// - Throws: ``PacketFault/fragment`` for a fragment that does not hold the ports, ``PacketFault/otherProtocol``
    ///   for any protocol but TCP and UDP, and the errors of ``Probe/init(packet:)``.
    public init(packet: Span<UInt8>, realTime: Int64) throws(PacketFault) {
        let header = try TransportHeader(packet: packet)
        let ports = try header.ports(in: packet)
        self.init(
            source: header.ip.source, destination: header.ip.destination,
            sourcePort: ports.source, destinationPort: ports.destination, realTime: realTime)
    }
}
