import ScanCore

/// Addresses as administrators write them.
extension Span<UInt8> {
    /// The IPv4 address that this is in dotted decimal: four numbers without leading zeros, as inet_pton(3) wants them.
    func ipv4Address() -> UInt32? {
        var value: UInt32 = 0
        var start = 0
        for part in 0..<4 {
            let end = part < 3 ? firstIndex(of: UInt8(ascii: "."), from: start) : count
            guard let end, end - start <= 3, let octet = extracting(start..<end).decimal(limit: 256), octet < 256,
                end - start == 1 || self[start] != UInt8(ascii: "0")
            else { return nil }
            value = value << 8 | UInt32(octet)
            start = end + 1
        }
        return value
    }

    /// The IPv4 address that this is as inet_addr(3) reads one of four parts: each may be octal, after a 0, or
    /// hexadecimal, after 0x. 255.255.255.255 is none: that is how the call says so.
    func inetAddress() -> UInt32? {
        var value: UInt32 = 0
        var start = 0
        for part in 0..<4 {
            let end = part < 3 ? firstIndex(of: UInt8(ascii: "."), from: start) : count
            guard let end, start < end, let octet = extracting(start..<end).octetOfAnyBase() else { return nil }
            value = value << 8 | octet
            start = end + 1
        }
        return value == .max ? nil : value
    }

    private func octetOfAnyBase() -> UInt32? {
        var start = 0
        var base: UInt32 = 10
        if count > 1 && self[0] == UInt8(ascii: "0") {
            base = self[1].lowercased == UInt8(ascii: "x") ? 16 : 8
            start = base == 16 ? 2 : 1
        }
        if start == count { return nil }
        var value: UInt32 = 0
        for index in start..<count {
            guard let digit = self[index].hexadecimalValue, digit < base else { return nil }
            value = value * base + UInt32(digit)
            if value > 255 { return nil }
        }
        return value
    }

    /// The IPv6 address that this is, in any form that RFC 4291, section 2.2, allows; `nil` if there is a zone.
    func ipv6Address() -> Address? {
        var groups = IPv6Groups()
        var start = 0
        if count >= 2, self[0] == colon, self[1] == colon {
            groups.gap = 0
            start = 2
        }
        while start < count {
            let end = firstIndex(of: colon, from: start) ?? count
            let part = extracting(start..<end)
            if end == count && part.contains(UInt8(ascii: ".")) {
                guard let tail = part.ipv4Address(), groups.append(UInt16(tail >> 16)),
                    groups.append(UInt16(tail & 0xffff))
                else { return nil }
                return groups.address
            }
            guard let group = part.group(), groups.append(group) else { return nil }
            if end == count { return groups.address }
            start = end + 1
            if start == count { return nil }  // ends in one colon
            if self[start] == colon {
                if groups.gap != nil { return nil }
                groups.gap = groups.count
                start += 1
            }
        }
        return groups.address
    }

    private func group() -> UInt16? {
        if isEmpty || count > 4 { return nil }
        var value: UInt16 = 0
        for index in indices {
            guard let digit = self[index].hexadecimalValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

private var colon: UInt8 { UInt8(ascii: ":") }

/// The groups of an IPv6 address as they are read.
private struct IPv6Groups {
    private var groups = SIMD8<UInt16>(repeating: 0)
    private(set) var count = 0
    /// Where `::` stands: before the group of this number.
    var gap: Int?

    mutating func append(_ group: UInt16) -> Bool {
        if count == 8 { return false }
        groups[count] = group
        count += 1
        return true
    }

    /// The address, if the groups are as many as it takes.
    var address: Address? {
        if gap == nil ? count != 8 : count == 8 { return nil }
        let gap = gap ?? 8
        var high: UInt64 = 0
        var low: UInt64 = 0
        for position in 0..<8 {
            let afterGap = position - (8 - count)
            let group = position < gap ? groups[position] : afterGap >= gap ? groups[afterGap] : 0
            if position < 4 { high = high << 16 | UInt64(group) } else { low = low << 16 | UInt64(group) }
        }
        return Address(ipv6High: high, low: low)
    }
}

extension Address {
    /// The address of some text: IPv4 in dotted decimal, or IPv6, without brackets and without a zone.
    public init?(_ text: Span<UInt8>) {
        if let value = text.ipv4Address() {
            self.init(ipv4: value)
        } else if let address = text.ipv6Address() {
            self = address
        } else {
            return nil
        }
    }

    /// The IPv4 address that an IPv4-mapped one carries (RFC 4291, section 2.5.5.2), any other as it is.
    var unmapped: Address {
        if isIPv4 || high != 0 || low >> 32 != 0xffff { return self }
        return Address(ipv4: UInt32(truncatingIfNeeded: low))  // the upper half is 0xffff
    }
}

extension FixedName {
    /// An address as patterns are compared with it: the way inet_ntop(3) of the C library prints it, which is that of
    /// RFC 5952 but for ::/96, where the end is in dotted decimal.
    init(_ address: Address) {
        var line = LogLine()
        if !address.isIPv4 && address.high == 0 && address.low >> 32 == 0 && address.low >> 16 != 0 {
            line.append("::")
            line.append(Address(ipv4: UInt32(truncatingIfNeeded: address.low)))  // the upper half is 0
        } else {
            line.append(address)
        }
        self.init("")
        append(line.bytes.span.extracting(0..<line.count))
    }
}
