/// The IP version of a packet, from its first four bits.
package enum IPVersion {
    case ipv4
    case ipv6

    /// - Throws: ``PacketFault/malformed`` for any other version.
    @inline(__always)
    package init(of packet: Span<UInt8>) throws(PacketFault) {
        switch try packet.uint8(at: 0) >> 4 {
        case 4: self = .ipv4
        case 6: self = .ipv6
        default: throw .malformed
        }
    }
}

/// The IP header at the start of a packet (RFC 791, section 3.1; RFC 8200, section 3), and where the packet ends.
///
/// The extension headers of IPv6 follow it: see ``IPv6ExtensionHeaders``. Checksums are not verified: a host that drops
/// the packet was probed all the same.
package struct IPHeader {
    /// The source address.
    package let source: Address
    /// The destination address.
    package let destination: Address
    /// The type of service of IPv4, the traffic class of IPv6.
    package let typeOfService: UInt8
    /// The time to live of IPv4, the hop limit of IPv6.
    package let timeToLive: UInt8
    /// The identification of IPv4, the flow label of IPv6 (RFC 6437).
    package let label: UInt32
    /// For IPv4, which part of the original packet this is; IPv6 has a fragment header for that.
    package let part: FragmentPart
    /// The protocol of the next header: an ``IPProtocol``.
    package let next: UInt8
    /// The length of the header, including IPv4 options, in bytes. It may exceed the packet.
    package let length: Int
    /// The end of the packet according to its header, in bytes; 0, or 40 for IPv6, if the length field is 0.
    package let statedEnd: Int
    /// The number of captured bytes, including link-layer padding.
    private let captured: Int

    /// Parses the header of either version.
    ///
    /// - Parameter packet: the packet, of any length, possibly truncated.
    /// - Throws: ``PacketFault/truncated`` if the header, without options, is not complete, and
    ///   ``PacketFault/malformed`` for another version, or a header length below the minimum.
    package init(packet: Span<UInt8>) throws(PacketFault) {
        switch try IPVersion(of: packet) {
        case .ipv4: try self.init(ipv4: packet)
        case .ipv6: try self.init(ipv6: packet)
        }
    }

    /// Parses the header of a packet that is known to be IPv4.
    @inline(__always)  // with the IPv4 part of Probe: half the time of a packet
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

    /// Parses the header of a packet that is known to be IPv6.
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

    /// The end of the packet in the captured bytes: what follows is link-layer padding.
    package var end: Int {
        @inline(__always) get { isJoined ? captured : min(statedEnd, captured) }
    }

    /// Whether the packet was captured to the end that its header states.
    package var isWhole: Bool {
        @inline(__always) get { 0 < statedEnd && statedEnd <= captured && !isJoined }
    }

    /// Whether its length is 0 because Linux merged packets to over 65,535 bytes (GRO, TSO), or, for IPv6, because it
    /// is a jumbogram (RFC 2675). An IPv4 packet in a minimum-length Ethernet frame is neither: with padding it has 46
    /// bytes at most.
    private var isJoined: Bool {
        @inline(__always) get { source.isIPv4 ? statedEnd == 0 && captured > 46 : statedEnd == IPHeader.ipv6Length }
    }

    /// The minimum length of the IPv4 header, and the length of the IPv6 header, in bytes.
    private static var ipv4Length: Int { 20 }
    private static var ipv6Length: Int { 40 }

    /// The end of a packet according to its header, which may not be captured: see ``statedEnd``.
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

/// Which part of the original packet a fragment is (RFC 791, section 3.2; RFC 8200, section 4.5).
package struct FragmentPart: Equatable, Sendable {
    /// The offset of its bytes in the fragmented data, in bytes.
    package let offset: Int
    /// Whether more fragments follow.
    package let isFollowed: Bool

    /// The value of an unfragmented packet.
    static var whole: FragmentPart { FragmentPart(ipv4: 0) }

    /// Decodes the flags and the fragment offset of the IPv4 header.
    @inline(__always)
    init(ipv4 field: UInt16) {
        offset = Int(field & 0x1fff) * 8
        isFollowed = field & 0x2000 != 0
    }

    /// Decodes the fragment offset and the M flag of the IPv6 fragment header.
    @inline(__always)
    init(ipv6 field: UInt16) {
        offset = Int(field & 0xfff8)
        isFollowed = field & 1 != 0
    }

    /// Whether it is less than the whole packet.
    package var isFragment: Bool { offset > 0 || isFollowed }
}

/// Protocol numbers of the Protocol and Next Header fields (IANA, Assigned Internet Protocol Numbers).
package enum IPProtocol {
    package static let hopByHop: UInt8 = 0
    package static let icmp: UInt8 = 1
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let routing: UInt8 = 43
    package static let fragment: UInt8 = 44
    package static let authentication: UInt8 = 51
    package static let icmpv6: UInt8 = 58
    package static let destinationOptions: UInt8 = 60
    package static let sctp: UInt8 = 132
}

/// Whether an IPv4 header with a valid checksum begins at an offset (RFC 1071): the one's complement sum of its words
/// is 0.
///
/// - Throws: ``PacketFault/truncated`` if the header is not complete.
package func isSoundIPv4Header(at start: Int, in bytes: Span<UInt8>) throws(PacketFault) -> Bool {
    let first = try bytes.uint8(at: start)
    let length = Int(first & 15) * 4
    if first >> 4 != 4 || length < 20 { return false }
    var sum = 0
    for offset in stride(from: start, to: start + length, by: 2) { sum += Int(try bytes.uint16(at: offset)) }
    return sum % 0xffff == 0
}
