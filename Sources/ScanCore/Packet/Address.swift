/// An IPv4 or IPv6 address.
///
/// An IPv4 address never equals an IPv6 one, not even its IPv4-mapped form (RFC 4291, section 2.5.5.2): a host that
/// forges such packets must not be mistaken for another.
public struct Address: Equatable, Sendable {
    /// The first 64 bits of an IPv6 address, most significant bit first; 0 for IPv4.
    public let high: UInt64

    /// The last 64 bits of an IPv6 address; an IPv4 address in the low 32 bits.
    public let low: UInt64

    /// Whether this is an IPv4 address.
    public let isIPv4: Bool

    /// Creates an IPv4 address from a value in host byte order: `0x7f000001` is 127.0.0.1.
    public init(ipv4 value: UInt32) {
        high = 0
        low = UInt64(value)
        isIPv4 = true
    }

    /// Creates an IPv6 address from its two halves in host byte order: the network prefix, then the interface
    /// identifier.
    public init(ipv6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        isIPv4 = false
    }

    /// Creates an address from the values of its properties.
    @inline(__always)
    init(high: UInt64, low: UInt64, isIPv4: Bool) {
        self.high = high
        self.low = low
        self.isIPv4 = isIPv4
    }

    /// Whether this is 0.0.0.0 or ::, which is not a valid source address.
    public var isUnspecified: Bool { high | low == 0 }
}

extension LogLine {
    /// Appends an address as text: dotted decimal, or the canonical form of RFC 5952 for IPv6.
    @inline(never)
    public mutating func append(_ address: Address) {
        if address.isIPv4 {
            appendDotted(UInt32(truncatingIfNeeded: address.low))  // its upper half is 0
        } else {
            appendIPv6(address)
        }
    }

    @inline(never)
    private mutating func appendDotted(_ value: UInt32) {
        append(decimal: value >> 24)
        append(byte: UInt8(ascii: "."))
        append(decimal: value >> 16 & 0xff)
        append(byte: UInt8(ascii: "."))
        append(decimal: value >> 8 & 0xff)
        append(byte: UInt8(ascii: "."))
        append(decimal: value & 0xff)
    }

    private mutating func appendIPv6(_ address: Address) {
        if address.high == 0 && address.low >> 32 == 0xffff {  // IPv4-mapped: RFC 5952, section 5
            append("::ffff:")
            appendDotted(UInt32(truncatingIfNeeded: address.low))
            return
        }
        let zeros = address.longestZeroRun
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound && !zeros.isEmpty {
                append("::")
                index = zeros.upperBound
                continue
            }
            if index > 0 && index != zeros.upperBound { append(":") }
            append(hexadecimal: address.group(index))
            index += 1
        }
    }
}

extension Address {
    /// One of the eight 16-bit groups of an IPv6 address, the first being 0.
    func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - index % 4 * 16))
    }

    /// The groups that `::` replaces: the first of the longest runs of at least two zero groups (RFC 5952, section
    /// 4.2); empty, and past the end, if there is none.
    var longestZeroRun: Range<Int> {
        var best = 8..<8
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index + 1
            } else if index + 1 - start > max(best.count, 1) {
                best = start..<index + 1
            }
        }
        return best
    }
}
