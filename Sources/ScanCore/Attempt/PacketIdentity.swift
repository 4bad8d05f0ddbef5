/// Identifies a packet by fields that hosts and bridges leave unchanged in transit: the addresses, the IPv4
/// identification or IPv6 flow label, and the first 16 bytes of the payload, which end before the TCP checksum. Time to
/// live, type of service and checksums may change in transit.
///
/// An all-zero value identifies no packet.
struct PacketIdentity: Equatable, Sendable {
    // Not as `Address`: so that there is no padding between the numbers.
    private var sourceHigh: UInt64 = 0
    private var sourceLow: UInt64 = 0
    private var destinationHigh: UInt64 = 0
    private var destinationLow: UInt64 = 0
    /// The ports and, for TCP, the sequence number.
    private var payloadHigh: UInt64 = 0
    private var payloadLow: UInt64 = 0
    /// The identification of IPv4 (RFC 791) or the flow label of IPv6 (RFC 6437), and above them the protocols.
    private var label: UInt32 = 0

    /// The identity of no packet.
    init() {}

    /// Reads a TCP or UDP packet that begins with its IP header.
    ///
    /// - Throws: see ``TransportHeader/init(packet:)``; ``PacketFault/truncated`` if it holds no ports.
    init(packet: Span<UInt8>) throws(PacketFault) {
        let header = try TransportHeader(packet: packet)
        let payload = packet.extracting(header.range)
        if payload.count < 4 { throw .truncated }
        let (source, destination) = (header.ip.source, header.ip.destination)
        sourceHigh = source.high
        sourceLow = source.low
        destinationHigh = destination.high
        destinationLow = destination.low
        payloadHigh = try PacketIdentity.word(at: 0, of: payload)
        payloadLow = try PacketIdentity.word(at: 8, of: payload)
        if header.kind == IPProtocol.udp { payloadHigh &= ~0xffff }  // its checksum
        label = header.ip.label | UInt32(header.kind) << 24 | (source.isIPv4 ? 1 << 23 : 0)
    }

    /// Eight bytes as a big-endian number; missing bytes are zero.
    private static func word(at offset: Int, of bytes: Span<UInt8>) throws(PacketFault) -> UInt64 {
        if offset + 8 <= bytes.count { return try bytes.uint64(at: offset) }
        var word: UInt64 = 0
        for index in offset..<max(offset, bytes.count) {
            word |= UInt64(bytes[index]) << UInt64(56 - (index - offset) * 8)
        }
        return word
    }

    /// The keyed hash: those of the addresses, and of ports and sequence number, hashed in turn.
    func hash(_ key: HashKey) -> UInt32 {
        let source = UInt64(key.hash(Address(ipv6High: sourceHigh, low: sourceLow)))
        let destination = UInt64(key.hash(Address(ipv6High: destinationHigh, low: destinationLow)))
        return key.hash(Address(ipv6High: source << 32 | destination, low: payloadHigh))
    }
}
