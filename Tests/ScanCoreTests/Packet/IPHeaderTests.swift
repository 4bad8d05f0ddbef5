import Testing

@testable import ScanCore

/// Where a packet ends: what its header says, what was captured, and the lengths that say nothing.
struct IPHeaderTests {
    private func ipv4(length: Int, captured: Int, options: Int = 0) -> [UInt8] {
        let first: [UInt8] = [0x45 + UInt8(options / 4), 0x10, UInt8(length >> 8), UInt8(length & 0xff), 0x12, 0x34]
        let header: [UInt8] = first + [0x20, 3, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
        return Array((header + [UInt8](repeating: 0, count: 100)).prefix(captured))
    }

    private func ipv6(payload: Int, captured: Int) -> [UInt8] {
        let header: [UInt8] = [0x6a, 0xb1, 0x23, 0x45, UInt8(payload >> 8), UInt8(payload & 0xff), 44, 63]
        let addresses = [UInt8](repeating: 1, count: 16) + [UInt8](repeating: 2, count: 16)
        return Array((header + addresses + [UInt8](repeating: 0, count: 100)).prefix(captured))
    }

    @Test func theFieldsOfIPv4() throws {
        let header = try IPHeader(packet: ipv4(length: 60, captured: 60, options: 8).span)
        #expect(header.source == Address(ipv4: 0x0a00_0001) && header.destination == Address(ipv4: 0x0a00_0002))
        #expect(header.typeOfService == 0x10 && header.timeToLive == 64 && header.next == IPProtocol.tcp)
        #expect(header.label == 0x1234 && header.length == 28)
        #expect(header.part.offset == 24 && header.part.isFollowed && header.part.isFragment)
    }

    @Test func theFieldsOfIPv6() throws {
        let header = try IPHeader(packet: ipv6(payload: 20, captured: 60).span)
        #expect(header.source == Address(ipv6High: 0x0101_0101_0101_0101, low: 0x0101_0101_0101_0101))
        #expect(header.destination == Address(ipv6High: 0x0202_0202_0202_0202, low: 0x0202_0202_0202_0202))
        #expect(header.typeOfService == 0xab && header.timeToLive == 63 && header.next == IPProtocol.fragment)
        #expect(header.label == 0x1_2345 && header.length == 40 && !header.part.isFragment)
    }

    /// The length that IPv4's header says, the bytes captured, and where the packet ends.
    @Test(arguments: [
        (40, 40, 40, true), (40, 46, 40, true), (41, 40, 40, false), (39, 40, 39, true), (1, 40, 1, true),
        (0, 46, 0, false), (0, 47, 47, false), (0, 20, 0, false), (65_535, 60, 60, false),
    ])
    func theEndOfIPv4(length: Int, captured: Int, end: Int, isWhole: Bool) throws {
        let header = try IPHeader(packet: ipv4(length: length, captured: captured).span)
        #expect(header.statedEnd == length)
        #expect(header.end == end)
        #expect(header.isWhole == isWhole)
    }

    /// The same of IPv6, which says how many bytes follow its header.
    @Test(arguments: [
        (20, 60, 60, true), (20, 80, 60, true), (21, 60, 60, false), (1, 40, 40, false), (0, 40, 40, false),
        (0, 41, 41, false), (0, 140, 140, false),
    ])
    func theEndOfIPv6(payload: Int, captured: Int, end: Int, isWhole: Bool) throws {
        let header = try IPHeader(packet: ipv6(payload: payload, captured: captured).span)
        #expect(header.statedEnd == 40 + payload)
        #expect(header.end == end)
        #expect(header.isWhole == isWhole)
    }

    @Test func aHeaderThatIsCutOffIsTruncated() {
        for captured in 0..<20 {
            #expect(throws: PacketFault.truncated) { try IPHeader(packet: ipv4(length: 60, captured: captured).span) }
        }
        for captured in 0..<40 {
            #expect(throws: PacketFault.truncated) { try IPHeader(packet: ipv6(payload: 20, captured: captured).span) }
        }
    }

    @Test(arguments: [0x00, 0x35, 0x40, 0x44, 0x55, 0x75, 0xf5] as [UInt8])
    func anotherVersionOrAHeaderThatIsTooShortIsMalformed(first: UInt8) {
        var packet = ipv4(length: 60, captured: 60)
        packet[0] = first
        #expect(throws: PacketFault.malformed) { try IPHeader(packet: packet.span) }
    }

    @Test func thePartOfAFragment() {
        #expect(!FragmentPart.whole.isFragment)
        #expect(!FragmentPart(ipv4: 0x4000).isFragment)  // do not fragment
        #expect(FragmentPart(ipv4: 0x2000).isFragment)
        #expect(FragmentPart(ipv4: 0x1fff).offset == 65_528)
        #expect(!FragmentPart(ipv6: 0x0006).isFragment)  // reserved bits (RFC 6946)
        #expect(FragmentPart(ipv6: 0x0001).isFollowed)
        #expect(FragmentPart(ipv6: 0xfff8).offset == 65_528)
    }
}
