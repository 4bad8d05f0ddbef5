/// The version of IP that a packet says it is of, in its first four bits.
package enum IPVersion {
    case ipv4
    case ipv6

    /// - Throws: ``PacketFault/malformed`` for any other.
    @inline(__always)
    package init(of packet: Span<UInt8>) throws(PacketFault) {
        switch try packet.uint8(at: 0) >> 4 {
        case 4: self = .ipv4
        case 6: self = .ipv6
        default: throw .malformed
        }
    }
}

/// The IP header that a packet begins with (RFC 791, section 3.1; RFC 8200, section 3), and where the packet ends.
///
/// The extension headers of IPv6 follow it: see ``IPv6ExtensionHeaders``. Checksums are not checked: a host that drops
/// the packet was probed all the same.
package struct IPHeader {
    /// Where the packet says it comes from.
    package let source: Address
    /// Where it goes.
    package let destination: Address
    /// The type of service of IPv4, the traffic class of IPv6.
    package let typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6.
    package let timeToLive: UInt8
    /// The identification of IPv4, the flow label of IPv6 (RFC 6437).
    package let label: UInt32
    /// Which part of a packet this is, of IPv4; fragments of IPv6 have a header for that.
    package let part: FragmentPart
    /// What follows: an ``IPProtocol``.
    package let next: UInt8
    /// The length of the header, with the options of IPv4, in bytes. It may be more than the packet has.
    package let length: Int
    /// Where the packet ends as its header says, in bytes; 0 or, of IPv6, 40, if it does not say.
    package let statedEnd: Int
    /// How many bytes of the packet were captured, with padding of the link behind it.
    private let captured: Int

    /// Reads the header of either version.
    ///
    /// - Parameter packet: the packet, of any length, cut off anywhere.
    /// - Throws: ``PacketFault/truncated`` if the header is not all there but for options, and ``PacketFault/malformed``
    ///   for another version, or a header that says that it is shorter than any can be.
    package init(packet: Span<UInt8>) throws(PacketFault) {
        switch try IPVersion(of: packet) {
        case .ipv4: try self.init(ipv4: packet)
        case .ipv6: try self.init(ipv6: packet)
        }
    }

    /// Reads the header of a packet that is known to be of IPv4.
    @inline(__always)  // with all of Probe that is about IPv4: half the time of a packet
    package init(ipv4 packet: Span<UInt8>) throws(PacketFault) {
        length = Int(try packet.uint8(at: 0) & 15) * 4
        if length < IPHeader.ipv4Length { throw .malformed }
        if packet.count < IPHeader.ipv4Length { throw .truncated }  // also spares a check for each field
        next = try packet.uint8(at: 9)
        part = FragmentPart(ipv4: try packet.uint16(at: 6))
        statedEnd = try IPHeader.statedEnd(ipv4: packet)
        label = UInt32(try packet.uint16(at: 4))
        typeOfService = try packet.uint8(at: 1)
        timeToLive = try packet.uint8(at: 8)
        source = Address(ipv4: try packet.uint32(at: 12))
        destination = Address(ipv4: try packet.uint32(at: 16))
        captured = packet.count
    }

    /// Reads the header of a packet that is known to be of IPv6.
    @inline(__always)
    package init(ipv6 packet: Span<UInt8>) throws(PacketFault) {
        length = IPHeader.ipv6Length
        if packet.count < IPHeader.ipv6Length { throw .truncated }  // also spares a check for each field
        let first = try packet.uint32(at: 0)
        typeOfService = UInt8(truncatingIfNeeded: first >> 20)
        label = first & 0xf_ffff
        part = .whole
        statedEnd = try IPHeader.statedEnd(ipv6: packet)
        next = try packet.uint8(at: 6)
        timeToLive = try packet.uint8(at: 7)
        source = Address(ipv6High: try packet.uint64(at: 8), low: try packet.uint64(at: 16))
        destination = Address(ipv6High: try packet.uint64(at: 24), low: try packet.uint64(at: 32))
        captured = packet.count
    }

    /// Where the packet ends in the bytes that it was read from: what follows is padding of the link.
    package var end: Int {
        @inline(__always) get { isJoined ? captured : min(statedEnd, captured) }
    }

    /// Whether it ends there as its header says, and not because no more of it was captured.
    package var isWhole: Bool {
        @inline(__always) get { 0 < statedEnd && statedEnd <= captured && !isJoined }
    }

    /// Whether its length is 0 as Linux joined it to over 65,535 bytes (GRO, TSO), or of IPv6, as it is a jumbogram (RFC
    /// 2675). An IPv4 packet in a short Ethernet frame is none: with padding that makes 46 bytes at most.
    private var isJoined: Bool {
        @inline(__always) get { source.isIPv4 ? statedEnd == 0 && captured > 46 : statedEnd == IPHeader.ipv6Length }
    }

    /// The shortest header of IPv4, and the header of IPv6, in bytes.
    private static var ipv4Length: Int { 20 }
    private static var ipv6Length: Int { 40 }

    /// Where a packet ends as its header says, which may not be all there: see ``statedEnd``.
    package static func statedEnd(of packet: Span<UInt8>) throws(PacketFault) -> Int {
        switch try IPVersion(of: packet) {
        case .ipv4: try statedEnd(ipv4: packet)
        case .ipv6: try statedEnd(ipv6: packet)
        }
    }

    @inline(__always)
    private static func statedEnd(ipv4 packet: Span<UInt8>) throws(PacketFault) -> Int {
        Int(try packet.uint16(at: 2))
    }

    @inline(__always)
    private static func statedEnd(ipv6 packet: Span<UInt8>) throws(PacketFault) -> Int {
        ipv6Length + Int(try packet.uint16(at: 4))
    }
}

/// Which part of a packet that was divided a fragment is (RFC 791, section 3.2; RFC 8200, section 4.5).
package struct FragmentPart: Equatable, Sendable {
    /// Where its bytes belong, in bytes from the beginning of what was divided.
    package let offset: Int
    /// Whether more of the packet follows behind them.
    package let isFollowed: Bool

    /// That of a packet that was not divided.
    static var whole: FragmentPart { FragmentPart(ipv4: 0) }

    /// That of the flags and the fragment offset of IPv4's header.
    @inline(__always)
    init(ipv4 field: UInt16) {
        offset = Int(field & 0x1fff) * 8
        isFollowed = field & 0x2000 != 0
    }

    /// That of the fragment offset, and what stands behind it, in the fragment header of IPv6.
    @inline(__always)
    init(ipv6 field: UInt16) {
        offset = Int(field & 0xfff8)
        isFollowed = field & 1 != 0
    }

    /// Whether it is not all of the packet.
    package var isFragment: Bool { offset > 0 || isFollowed }
}

/// Protocol numbers, as the Protocol and Next Header fields have them (IANA, Assigned Internet Protocol Numbers).
package enum IPProtocol {
    package static let hopByHop: UInt8 = 0
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let routing: UInt8 = 43
    package static let fragment: UInt8 = 44
    package static let authentication: UInt8 = 51
    package static let destinationOptions: UInt8 = 60
}

/// Whether an IPv4 header begins at an offset whose checksum is right (RFC 1071): its words add up to 0 in one's complement.
///
/// - Throws: ``PacketFault/truncated`` if the bytes end before it does.
package func isSoundIPv4Header(at start: Int, in bytes: Span<UInt8>) throws(PacketFault) -> Bool {
    let first = try bytes.uint8(at: start)
    let length = Int(first & 15) * 4
    if first >> 4 != 4 || length < 20 { return false }
    var sum = 0
    for offset in stride(from: start, to: start + length, by: 2) { sum += Int(try bytes.uint16(at: offset)) }
    return sum % 0xffff == 0
}
