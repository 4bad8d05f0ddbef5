import ScanCore

/// Builders of packets, field by field. What a test does not name has a value that is right but not zero, so that a
/// field read at a wrong offset shows.

/// The 20 bytes of a TCP header.
struct TCPHeader {
    var sourcePort: UInt16 = 40_000
    var destinationPort: UInt16 = 80
    var flags = TCPFlags.syn
    /// The header length in 32-bit words.
    var words: UInt8 = 5

    var bytes: [UInt8] {
        let sequence: [UInt8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]
        let window: [UInt8] = [0xfa, 0xf0, 0xbe, 0xef, 0x00, 0x07]
        return sourcePort.octets + destinationPort.octets + sequence + [words << 4, flags.rawValue] + window
    }
}

/// An IPv4 packet.
struct IPv4Packet {
    var version: UInt8 = 4
    /// The header length in 32-bit words; `nil` for the right one.
    var headerWords: UInt8?
    var typeOfService: UInt8 = 0xb8
    /// `nil` for the right one.
    var totalLength: UInt16?
    var identification: UInt16 = 0x9abc
    /// Flags and offset.
    var fragment: UInt16 = 0x4000
    var timeToLive: UInt8 = 57
    var ipProtocol: UInt8 = 6
    /// `nil` for the right one.
    var checksum: UInt16?
    var source = address("10.77.0.1")
    var destination = address("10.77.0.2")
    var options: [UInt8] = []
    var payload = TCPHeader().bytes
    /// What the link adds after the packet.
    var padding: [UInt8] = []

    var bytes: [UInt8] {
        let words = headerWords ?? UInt8(5 + options.count / 4)
        let length = totalLength ?? UInt16(20 + options.count + payload.count)
        var header = [version << 4 | words, typeOfService] + length.octets + identification.octets + fragment.octets
        header += [timeToLive, ipProtocol, 0, 0] + UInt32(source.low).octets + UInt32(destination.low).octets
        header += options
        header.replaceSubrange(10..<12, with: (checksum ?? Self.checksum(header)).octets)
        return header + payload + padding
    }

    /// RFC 1071, as it is written there: words added up, carries to the low end, all bits turned.
    private static func checksum(_ header: [UInt8]) -> UInt16 {
        var sum = UInt32(0)
        for index in stride(from: 0, to: header.count, by: 2) {
            sum += UInt32(header[index]) << 8 | UInt32(header[index + 1])
            if sum > 0xffff { sum -= 0xffff }
        }
        return ~UInt16(sum)
    }
}

/// One IPv6 extension header, less its first byte, which says what follows.
struct ExtensionHeader {
    var number: UInt8
    var body: [UInt8]

    /// Hop-by-hop options; `length` is the length field, in 8 bytes less one.
    static func hopByHop(length: UInt8 = 0) -> Self { Self(number: 0, length: length) }
    static func routing(length: UInt8 = 0) -> Self { Self(number: 43, length: length) }
    static func destinationOptions(length: UInt8 = 0) -> Self { Self(number: 60, length: length) }

    /// The fragment header; the offset is in 8 bytes.
    static func fragment(
        offset: UInt16 = 0, reserved: UInt8 = 0, lowBits: UInt16 = 0, identification: UInt32 = 0xcafe_babe
    ) -> Self {
        Self(number: 44, body: [reserved] + (offset << 3 | lowBits).octets + identification.octets)
    }

    /// The authentication header; `length` is the length field, in 4 bytes less two.
    static func authentication(length: UInt8 = 4) -> Self {
        Self(number: 51, body: [length] + [UInt8](repeating: 0xa5, count: (Int(length) + 2) * 4 - 2))
    }

    private init(number: UInt8, length: UInt8) {
        self.init(number: number, body: [length] + [UInt8](repeating: 0x5a, count: (Int(length) + 1) * 8 - 2))
    }

    private init(number: UInt8, body: [UInt8]) {
        self.number = number
        self.body = body
    }
}

/// An IPv6 packet.
struct IPv6Packet {
    var version: UInt8 = 6
    var trafficClass: UInt8 = 0xb8
    /// `nil` for the right one.
    var payloadLength: UInt16?
    var hopLimit: UInt8 = 57
    var source = address("fd77::1")
    var destination = address("fd77::2")
    var headers: [ExtensionHeader] = []
    /// What the last header says follows.
    var lastNext: UInt8 = 6
    var payload = TCPHeader().bytes
    /// What the link adds after the packet.
    var padding: [UInt8] = []

    var bytes: [UInt8] {
        let numbers = headers.map(\.number) + [lastNext]
        var chain: [UInt8] = []
        for (header, next) in zip(headers, numbers.dropFirst()) { chain += [next] + header.body }
        let length = payloadLength ?? UInt16(chain.count + payload.count)
        var bytes = [version << 4 | trafficClass >> 4, trafficClass << 4 | 0x1, 0x23, 0x45] + length.octets
        bytes += [numbers[0], hopLimit]
        for half in [source.high, source.low, destination.high, destination.low] { bytes += half.octets }
        return bytes + chain + payload + padding
    }
}

/// The segment of a packet, or why there is none.
func read(_ packet: some Collection<UInt8>) -> Result<Probe, PacketFault> {
    let bytes = [UInt8](packet)
    do {
        return .success(try Probe(packet: bytes.span))
    } catch {
        return .failure(error)
    }
}

extension Result where Success == Probe, Failure == PacketFault {
    /// The segment, if there is one.
    var segment: Probe? {
        if case .success(let segment) = self { segment } else { nil }
    }

    /// Why there is no segment, if there is none.
    var fault: PacketFault? {
        if case .failure(let fault) = self { fault } else { nil }
    }
}

extension FixedWidthInteger {
    /// The bytes, most significant first.
    var octets: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}

/// The bytes of hexadecimal digits; blanks and line ends are left out.
func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    precondition(digits.count % 2 == 0)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The address of dotted decimal, or of hexadecimal groups with at most one `::`.
func address(_ text: String) -> Address {
    if !text.contains(":") {
        let parts = text.split(separator: ".").compactMap { UInt8($0) }
        precondition(parts.count == 4)
        return Address(ipv4: parts.reduce(0) { $0 << 8 | UInt32($1) })
    }
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        .map { $0.split(separator: ":").compactMap { UInt16($0, radix: 16) } }
    let head = halves[0]
    let tail = halves.count > 1 ? halves[1] : []
    precondition(head.count + tail.count <= 8)
    return address(groups: head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail)
}

/// The IPv6 address of its eight groups.
func address(groups: [UInt16]) -> Address {
    precondition(groups.count == 8)
    return Address(
        ipv6High: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
        low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
}
