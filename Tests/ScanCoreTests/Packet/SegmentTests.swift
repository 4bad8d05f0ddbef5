import Testing

@testable import ScanCore

/// Whole packets: every field, and what is not TCP over IP.
struct SegmentTests {
    @Test func everyFieldOfALiteralIPv4PacketIsRead() {
        let packet = bytes(
            """
            45b8 002c 1234 0000 2f06 abcd 0a4d 0001 c0a8 02fe
            9c40 01bb 1122 3344 0000 0000 6002 0400 9999 0000 0204 05b4
            """)
        let expected = Probe(
            source: Address(ipv4: 0x0a4d_0001), destination: Address(ipv4: 0xc0a8_02fe), sourcePort: 40_000,
            destinationPort: 443, transport: .tcp(.syn), typeOfService: 0xb8, timeToLive: 47)
        #expect(read(packet) == .success(expected))
    }

    @Test func everyFieldOfALiteralIPv6PacketIsRead() {
        let packet = bytes(
            """
            6ab1 2345 0014 063b
            2001 0db8 0001 0002 0003 0004 0005 0006  fd77 0000 0000 0000 0000 0000 0000 0002
            ffff 0016 1122 3344 5566 7788 5029 0400 9999 0000
            """)
        let expected = Probe(
            source: Address(ipv6High: 0x2001_0db8_0001_0002, low: 0x0003_0004_0005_0006),
            destination: Address(ipv6High: 0xfd77_0000_0000_0000, low: 2), sourcePort: 65_535,
            destinationPort: 22, transport: .tcp(TCPFlags(rawValue: 0x29)), typeOfService: 0xab, timeToLive: 59)
        #expect(read(packet) == .success(expected))
    }

    @Test func recordRouteDoesNotHideTheTCPHeader() {
        // As nmap --ip-options R sends it: 40 bytes of options, of which record route takes 39.
        let packet = bytes(
            """
            4f00 0054 5e3f 0000 3906 0000 0a4d 0001 0a4d 0002
            0727 0400 0000 0000 0000 0000 0000 0000 0000 0000
            0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
            fea4 022a 9a8b 7c6d 0000 0000 6002 0400 d2a1 0000 0204 05b4
            """)
        let expected = segment(to: 554, sourcePort: 65_188, timeToLive: 57)
        #expect(read(packet) == .success(expected))
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func everyFlagsByteIsReadAsItStands(byte: UInt8) {
        let header = TCPHeader(flags: TCPFlags(rawValue: byte))
        #expect(read(IPv4Packet(payload: header.bytes).bytes).segment?.flags?.rawValue == byte)
        #expect(read(IPv6Packet(payload: header.bytes).bytes).segment?.flags?.rawValue == byte)
    }

    @Test(arguments: [UInt16.min, 1, 255, 256, 1023, 1024, 65_534, 65_535])
    func portsAreReadInNetworkOrder(port: UInt16) {
        let to = TCPHeader(destinationPort: port).bytes
        #expect(read(IPv4Packet(payload: to).bytes).segment?.destinationPort == port)
        let from = TCPHeader(sourcePort: port).bytes
        #expect(read(IPv6Packet(payload: from).bytes).segment?.sourcePort == port)
    }

    @Test(arguments: [UInt8.min, 1, 0x0f, 0x10, 0xf0, 254, 255])
    func serviceAndLifetimeAreReadForBothVersions(byte: UInt8) {
        let old = read(IPv4Packet(typeOfService: byte, timeToLive: ~byte).bytes).segment
        #expect(old?.typeOfService == byte && old?.timeToLive == ~byte)
        let new = read(IPv6Packet(trafficClass: byte, hopLimit: ~byte).bytes).segment
        #expect(new?.typeOfService == byte && new?.timeToLive == ~byte)
    }

    @Test func thePayloadDecidesNothing() {
        let data = [UInt8](repeating: 0xff, count: 200)
        let plain = read(IPv4Packet().bytes)
        #expect(read(IPv4Packet(payload: TCPHeader().bytes + data).bytes) == plain)
        #expect(plain.segment != nil)
    }

    @Test func checksumsAreNotLookedAt() {
        let packet = IPv4Packet().bytes
        for offset in [10, 11, 36, 37] {
            for wrong in [UInt8(0), 0x55, 0xff] {
                var changed = packet
                changed[offset] = wrong
                #expect(read(changed) == read(packet))
            }
        }
    }

    @Test(arguments: 0...15)
    func onlyVersions4And6AreRead(version: Int) {
        var packet = [UInt8](repeating: 0, count: 100)
        packet[0] = UInt8(version << 4 | 5)
        // Protocol and next header stand at different offsets, so both can say TCP.
        packet[9] = 6
        packet[6] = version == 6 ? 6 : 0
        // So can the data offsets.
        packet[32] = 0x50
        packet[52] = 0x50
        let expected: PacketFault? = version == 4 || version == 6 ? nil : .malformed
        #expect(read(packet).fault == expected)
    }

    @Test func anEmptyPacketIsTruncated() {
        #expect(read([]) == .failure(.truncated))
    }

    @Test func damagedPacketsNeverTrap() {
        var random = SplitMix(seed: Seed.value ^ 1)
        let wholes = [
            IPv4Packet(options: [UInt8](repeating: 1, count: 40)).bytes,
            IPv6Packet(headers: SegmentTruncationTests.eightHeaders).bytes,
            IPv6Packet().bytes,
        ]
        var segments = 0
        for _ in 0..<20_000 {
            var packet = wholes[Int.random(in: 0..<wholes.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let offset = Int.random(in: 0..<packet.count, using: &random)
                packet[offset] = UInt8.random(in: 0...255, using: &random)
            }
            let length = Int.random(in: 0...packet.count, using: &random)
            if read(packet.prefix(length)).segment != nil {
                segments += 1
                #expect(length >= 40, "\(packet.prefix(length))")
            }
        }
        #expect(segments > 0)
    }
}
