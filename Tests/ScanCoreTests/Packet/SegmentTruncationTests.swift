import Testing

@testable import ScanCore

/// Packets cut off at every length.
struct SegmentTruncationTests {
    /// As many extension headers as are walked, of every kind, in several lengths.
    static let eightHeaders: [ExtensionHeader] = [
        .hopByHop(length: 1), .destinationOptions(), .routing(length: 2), .fragment(), .authentication(),
        .destinationOptions(length: 3), .routing(), .authentication(length: 1),
    ]

    static let packets: [[UInt8]] = [
        IPv4Packet().bytes,
        IPv4Packet(options: [1, 1, 1, 0]).bytes,
        IPv4Packet(options: [UInt8](repeating: 1, count: 40)).bytes,
        IPv4Packet(fragment: 0x2000).bytes,
        IPv4Packet(totalLength: 0, options: [UInt8](repeating: 1, count: 40)).bytes,
        IPv6Packet().bytes,
        IPv6Packet(payloadLength: 0).bytes,
        IPv6Packet(headers: [.hopByHop()]).bytes,
        IPv6Packet(headers: [.fragment(lowBits: 1)]).bytes,
        IPv6Packet(headers: [.authentication(length: 255)]).bytes,
        IPv6Packet(headers: eightHeaders).bytes,
    ]

    @Test(arguments: packets)
    func onlyTheWholePacketGivesASegment(packet: [UInt8]) {
        for length in 0..<packet.count {
            #expect(read(packet.prefix(length)) == .failure(.truncated), "\(length) of \(packet.count) bytes")
        }
        #expect(read(packet).segment?.destinationPort == 80)
        #expect(read(packet).segment?.sourcePort == 40_000)
        #expect(read(packet).segment?.flags == .syn)
    }

    @Test(arguments: packets)
    func aCutThroughThePayloadIsHarmless(packet: [UInt8]) {
        var long = packet
        // The same packet with 12 bytes of payload more: the length fields say so, unless they are 0.
        let lengthAt = packet[0] >> 4 == 4 ? 2 : 4
        let length = UInt16(packet[lengthAt]) << 8 | UInt16(packet[lengthAt + 1])
        if length > 0 { long.replaceSubrange(lengthAt..<lengthAt + 2, with: (length + 12).octets) }
        long += [UInt8](repeating: 0xee, count: 12)
        for cut in packet.count...long.count { #expect(read(long.prefix(cut)) == read(packet)) }
        #expect(read(long.prefix(packet.count - 1)) == .failure(.truncated))
    }

    @Test func everyPrefixOfMalformedPacketsIsAnError() {
        let twice = IPv6Packet(headers: [.fragment(lowBits: 1)] + Self.eightHeaders + [.fragment(lowBits: 1)]).bytes
        for length in 0...twice.count { #expect(read(twice.prefix(length)).segment == nil) }
    }

    @Test func everyPrefixOfOtherProtocolsIsAnError() {
        let others = [
            IPv4Packet(ipProtocol: 17).bytes, IPv4Packet(fragment: 1).bytes, IPv6Packet(lastNext: 58).bytes,
            IPv6Packet(headers: [.fragment(offset: 1)]).bytes,
        ]
        for packet in others {
            for length in 0...packet.count { #expect(read(packet.prefix(length)).segment == nil) }
        }
    }
}
