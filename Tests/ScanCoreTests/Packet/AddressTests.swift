import Testing

@testable import ScanCore

/// Addresses, and their text.
struct AddressTests {
    private func text(_ address: Address) -> String {
        var line = LogLine()
        line.append(address)
        return line.text
    }

    @Test(arguments: [
        "0.0.0.0", "0.0.0.1", "1.2.3.4", "10.77.0.2", "127.0.0.1", "192.168.100.9", "255.255.255.255",
    ])
    func ipv4IsDottedDecimal(expected: String) {
        #expect(text(address(expected)) == expected)
    }

    @Test func ipv4IsGivenInHostOrder() {
        #expect(text(Address(ipv4: 0x7f00_0001)) == "127.0.0.1")
        #expect(text(Address(ipv6High: 0x2001_0db8_0000_0000, low: 1)) == "2001:db8::1")
    }

    // RFC 5952, section 4, and the addresses of its section 2.
    @Test(arguments: [
        // 4.1: leading zeros are left out, and one zero stays for a group of zeros.
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        ("2001:db8:0a0b:00c0:d:e0:f00:0fff", "2001:db8:a0b:c0:d:e0:f00:fff"),
        // 4.2.1: as much as possible is shortened.
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80:0:0:0:0:0:0:0", "fe80::"), ("0:0:0:0:0:0:0:1", "::1"), ("0:0:0:0:0:0:0:0", "::"),
        // 4.2.2: a single group is not.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
        ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"), ("1:0:1:0:1:0:1:0", "1:0:1:0:1:0:1:0"),
        // 4.2.3: the longest run is, and the first of two as long.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:1:0:0:0:0", "0:0:0:1::"), ("0:0:0:0:1:0:0:0", "::1:0:0:0"),
        ("0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"),
        ("1:0:0:0:1:0:0:0", "1::1:0:0:0"), ("0:0:1:1:1:1:1:1", "::1:1:1:1:1:1"),
        ("1:1:1:1:1:1:0:0", "1:1:1:1:1:1::"),
        ("0:1:0:0:0:0:0:0", "0:1::"), ("0:0:0:0:0:0:1:0", "::1:0"),
        // 4.3: lower case.
        ("2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:FFFF", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"),
        // Section 5: IPv4-mapped addresses end in dotted decimal.
        ("::ffff:c000:0201", "::ffff:192.0.2.1"), ("::ffff:0:0", "::ffff:0.0.0.0"),
        ("::ffff:ffff:ffff", "::ffff:255.255.255.255"),
        // Neighbours of the mapped prefix are no mapped addresses.
        ("::fffe:c000:0201", "::fffe:c000:201"), ("::1:ffff:c000:0201", "::1:ffff:c000:201"),
        ("1::ffff:c000:0201", "1::ffff:c000:201"), ("::c000:0201", "::c000:201"),
        ("64:ff9b::c000:0201", "64:ff9b::c000:201"),
    ])
    func ipv6IsWrittenAsRFC5952Demands(given: String, expected: String) {
        #expect(text(address(given)) == expected)
    }

    @Test func everyPatternOfZeroGroupsIsWrittenAsRFC5952Demands() {
        for pattern in 0..<256 {
            let groups = (0..<8).map { pattern >> $0 & 1 == 0 ? UInt16(0) : UInt16(0xa0 + $0) }
            #expect(text(address(groups: groups)) == ReferenceText.ipv6(groups))
        }
    }

    @Test func randomAddressesAreWrittenAsRFC5952Demands() {
        var random = SplitMix(seed: Seed.value ^ 2)
        for _ in 0..<2000 {
            let groups = (0..<8).map { _ in
                Bool.random(using: &random) ? UInt16(0) : UInt16.random(in: 0...0xffff, using: &random)
            }
            #expect(text(address(groups: groups)) == ReferenceText.ipv6(groups))
        }
    }

    @Test func anIPv4AddressNeverEqualsAnIPv6One() {
        let old = Address(ipv4: 0x0a4d_0001)
        #expect(old != Address(ipv6High: 0, low: 0x0a4d_0001))
        #expect(old != Address(ipv6High: 0, low: 0xffff_0a4d_0001))
        #expect(Address(ipv4: 0) != Address(ipv6High: 0, low: 0))
        #expect(old == Address(ipv4: 0x0a4d_0001))
        #expect(old.isIPv4 && !Address(ipv6High: 0, low: 0xffff_0a4d_0001).isIPv4)
    }

    @Test func onlyAllZeroIsUnspecified() {
        #expect(address("0.0.0.0").isUnspecified && address("::").isUnspecified)
        for bit in 0..<64 {
            #expect(!Address(ipv6High: 1 << bit, low: 0).isUnspecified)
            #expect(!Address(ipv6High: 0, low: 1 << bit).isUnspecified)
        }
        for bit in 0..<32 { #expect(!Address(ipv4: 1 << bit).isUnspecified) }
    }

    @Test func groupsAreCountedFromTheFront() {
        let all = address("1:2:3:4:5:6:7:8")
        #expect((0..<8).map { all.group($0) } == [1, 2, 3, 4, 5, 6, 7, 8])
    }
}
