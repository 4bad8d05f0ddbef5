/// A part of a packet, as the input describes it: what a ``FragmentModel`` knows without reading the packet.
struct Piece {
    /// What tells packets apart: 32 names in all.
    struct Name: Hashable {
        let isIPv4: Bool
        let source: UInt8
        let identification: UInt8
        /// Whether the checksum of the IP header is right; always so with IPv6, which has none.
        let isSound: Bool
    }

    let name: Name
    /// In the part that is divided, in bytes; less than 16 times 8, or 65,528.
    let offset: Int
    let moreFollow: Bool
    let content: [UInt8]
    /// How many bytes of the content were captured.
    let captured: Int
    let typeOfService: UInt8
    let timeToLive: UInt8
    /// The protocol that the content is said to begin with; with IPv4 always TCP.
    let next: UInt8
    /// Whether the header of IPv4 has options, or IPv6 an extension header before that of the fragment.
    private let hasMore: Bool

    init(_ choice: UInt8, _ input: inout Input) {
        let isIPv4 = choice & 1 == 0
        name = Name(
            isIPv4: isIPv4, source: choice >> 1 & 1, identification: choice >> 2 & 3,
            isSound: !isIPv4 || choice & 16 == 0)
        hasMore = choice & 32 != 0
        let place = input.byte()
        offset = place & 15 == 15 ? 65_528 : Int(place & 15) * 8
        moreFollow = place & 16 == 0
        let length = input.byte()
        content = input.bytes(Int(length & 127))
        captured = length & 128 == 0 ? content.count : max(content.count - Int(input.byte() & 31), 0)
        typeOfService = place
        timeToLive = length
        next = isIPv4 || place & 0xc0 == 0 ? 6 : input.byte()
    }

    /// Whether it is all there is of its packet.
    var isWhole: Bool { offset == 0 && !moreFollow }

    var source: Address { Self.address(of: name, host: name.source) }
    var destination: Address { Self.address(of: name, host: 9) }

    private static func address(of name: Name, host: UInt8) -> Address {
        name.isIPv4
            ? Address(ipv4: 0x0a4d_0000 + UInt32(host)) : Address(ipv6High: 0x2001_0db8_0000_0000, low: UInt64(host))
    }

    var packet: [UInt8] { (name.isIPv4 ? ipv4Header : ipv6Headers) + content.prefix(captured) }

    private var ipv4Header: [UInt8] {
        let options: [UInt8] = hasMore ? [7, 39] + [UInt8](repeating: 0, count: 38) : []
        let field = Self.octets(UInt64(offset / 8 | (moreFollow ? 0x2000 : 0)), 2)
        let length = Self.octets(UInt64(20 + options.count + content.count), 2)
        var header = [UInt8(0x45 + options.count / 4), typeOfService] + length + [0, name.identification] + field
        header += [timeToLive, 6, 0, 0]
        header += Self.octets(source.low & 0xffff_ffff, 4) + Self.octets(destination.low & 0xffff_ffff, 4) + options
        var sum = UInt64(name.isSound ? 0 : 1)
        for index in stride(from: 0, to: header.count, by: 2) {
            sum += UInt64(header[index]) * 256 + UInt64(header[index + 1])
        }
        header.replaceSubrange(10..<12, with: Self.octets(0xffff - sum % 0xffff, 2))
        return header
    }

    private var ipv6Headers: [UInt8] {
        var after = [next, 0] + Self.octets(UInt64(offset | (moreFollow ? 1 : 0)), 2) + [0, 0, 0, name.identification]
        if hasMore { after = [44, 1] + [UInt8](repeating: 0, count: 14) + after }  // destination options, 16 bytes
        let length = Self.octets(UInt64(after.count + content.count), 2)
        var header = [0x60 + typeOfService / 16, typeOfService % 16 * 16, 0, 0] + length
        header += [hasMore ? 60 : 44, timeToLive]
        for address in [source, destination] { header += Self.octets(address.high, 8) + Self.octets(address.low, 8) }
        return header + after
    }

    private static func octets(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
}
