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

    /// What a probe attempts, if that is to open a connection; else `nil`.
    public init?(_ probe: Probe, realTime: Int64) {
        if !probe.opensConnection { return nil }
        self.init(
            source: probe.source, destination: probe.destination,
            sourcePort: probe.sourcePort, destinationPort: probe.destinationPort, realTime: realTime)
    }

    /// What a packet of TCP or UDP attempts, whatever it says: it begins with its IP header and holds the ports.
    ///
    /// - Throws: ``PacketFault/fragment`` for a fragment that does not hold the ports, ``PacketFault/otherProtocol`` for what
    ///   is neither TCP nor UDP, and what ``Probe/init(packet:)`` throws.
    public init(packet: Span<UInt8>, realTime: Int64) throws(PacketFault) {
        let header = try TransportHeader(packet: packet)
        let ports = try header.ports(in: packet)
        self.init(
            source: header.ip.source, destination: header.ip.destination,
            sourcePort: ports.source, destinationPort: ports.destination, realTime: realTime)
    }
}
