import Testing

@testable import ScanCore

/// What the IPv6 header and its extension headers say.
struct SegmentIPv6Tests {
    /// Headers one of each kind, in lengths short and long.
    static let kinds: [ExtensionHeader] = [
        .hopByHop(), .hopByHop(length: 1), .routing(), .routing(length: 2), .destinationOptions(),
        .destinationOptions(length: 3), .fragment(), .authentication(), .authentication(length: 1),
    ]

    @Test(arguments: kinds)
    func anExtensionHeaderIsWalked(header: ExtensionHeader) {
        let payload = TCPHeader(destinationPort: 443, flags: .none).bytes
        let segment = read(IPv6Packet(headers: [header], payload: payload).bytes).segment
        #expect(segment?.destinationPort == 443)
        #expect(segment?.flags == TCPFlags.none)
    }

    @Test func extensionHeadersMayComeInAnyOrderAndTwice() {
        for first in Self.kinds {
            for second in Self.kinds {
                #expect(
                    read(IPv6Packet(headers: [first, second, first]).bytes).segment?.destinationPort == 80)
            }
        }
    }

    @Test(arguments: [UInt8(0), 43, 60], [UInt8(0), 1, 2, 31, 254, 255])
    func theLengthFieldCountsEightBytesLessOne(number: UInt8, length: UInt8) {
        // Written out, not built: 8 bytes for a field of 0, which PortSentry 2 takes for none.
        var packet = IPv6Packet(lastNext: number, payload: []).bytes
        let header = [6, length] + [UInt8](repeating: 0, count: 8 * (Int(length) + 1) - 2)
        packet.replaceSubrange(4..<6, with: UInt16(header.count + 20).octets)
        packet += header + TCPHeader().bytes
        #expect(read(packet).segment?.destinationPort == 80)
        #expect(read(packet.dropLast()) == .failure(.truncated))
    }

    @Test(arguments: [UInt8(0), 1, 2, 4, 254, 255])
    func theLengthOfAnAuthenticationHeaderCountsFourBytesLessTwo(length: UInt8) {
        let packet = IPv6Packet(headers: [.authentication(length: length)]).bytes
        #expect(packet.count == 40 + 4 * (Int(length) + 2) + 20)
        #expect(read(packet).segment?.destinationPort == 80)
        #expect(read(packet.dropLast()) == .failure(.truncated))
    }

    @Test(arguments: 0...7)
    func theReservedBitsOfAFragmentHeaderDoNotMoveIt(lowBits: UInt16) {
        let header = ExtensionHeader.fragment(reserved: 0xff, lowBits: lowBits)
        #expect(read(IPv6Packet(headers: [header]).bytes).segment?.destinationPort == 80)
    }

    @Test(arguments: (0..<13).map { UInt16(1) << $0 } + [0x1fff])
    func aLaterFragmentDoesNotCount(offset: UInt16) {
        for more in [UInt16(0), 1] {
            let header = ExtensionHeader.fragment(offset: offset, lowBits: more)
            #expect(read(IPv6Packet(headers: [header]).bytes) == .failure(.fragment))
            #expect(read(IPv6Packet(headers: [.hopByHop(), header]).bytes) == .failure(.fragment))
        }
    }

    @Test(arguments: 0...19)
    func aFirstFragmentWithoutTheWholeHeaderIsAFragment(whole: Int) {
        let header = ExtensionHeader.fragment(lowBits: 1)
        let payload = [UInt8](TCPHeader().bytes.prefix(whole))
        for headers in [[header], [.hopByHop(), header], [header, .destinationOptions(length: 1)]] {
            let packet = IPv6Packet(headers: headers, payload: payload, padding: [UInt8](repeating: 0, count: 40))
            #expect(read(packet.bytes) == .failure(.fragment))
            let bare = packet.bytes.dropLast(40)
            for length in 0..<bare.count { #expect(read(bare.prefix(length)) == .failure(.truncated)) }
        }
    }

    @Test func aFirstFragmentThatEndsInAnExtensionHeaderIsAFragment() {
        let whole = IPv6Packet(headers: [.fragment(lowBits: 1), .destinationOptions(length: 3)], payload: [])
        for length in UInt16(8)..<40 {
            var packet = whole
            packet.payloadLength = length
            #expect(read(packet.bytes) == .failure(.fragment))
        }
    }

    @Test func aFragmentOfAFragmentIsMalformed() {
        let nested: [ExtensionHeader] = [.fragment(lowBits: 1), .fragment(lowBits: 1)]
        #expect(read(IPv6Packet(headers: nested).bytes) == .failure(.malformed))
        #expect(read(IPv6Packet(headers: [.fragment(lowBits: 1), .fragment()]).bytes).segment != nil)
        #expect(read(IPv6Packet(headers: [.fragment(), .fragment(lowBits: 1)]).bytes).segment != nil)
    }

    @Test(arguments: 0...8)
    func extensionHeadersOfEachKindAreWalked(count: Int) {
        for header in Self.kinds {
            let packet = IPv6Packet(headers: [ExtensionHeader](repeating: header, count: count)).bytes
            #expect(read(packet).segment?.destinationPort == 80)
        }
    }

    @Test(arguments: [9, 100, 183, 1000, 8186])
    func extensionHeadersAreWalkedToTheEndOfThePacket(count: Int) {
        let headers = [ExtensionHeader](repeating: .destinationOptions(), count: count)
        #expect(read(IPv6Packet(headers: headers).bytes).segment?.destinationPort == 80)
        #expect(read(IPv6Packet(headers: headers).bytes.dropLast()) == .failure(.truncated))
        let atomic = IPv6Packet(headers: headers.prefix(8) + [.fragment(lowBits: 0)]).bytes
        #expect(read(atomic).segment?.destinationPort == 80)
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func onlyNextHeader6IsTCP(number: UInt8) {
        if [0, 43, 44, 51, 60].contains(number) { return }
        let expected: PacketFault? = number == 6 ? nil : .otherProtocol
        #expect(read(IPv6Packet(lastNext: number).bytes).fault == expected)
        let many = [ExtensionHeader](repeating: .destinationOptions(), count: 20)
        #expect(read(IPv6Packet(headers: many, lastNext: number).bytes).fault == expected)
    }

    @Test func aPayloadLengthOf0StandsForAllThereIs() {
        #expect(read(IPv6Packet(payloadLength: 0).bytes).segment != nil)
        #expect(read(IPv6Packet(payloadLength: 0).bytes.dropLast()) == .failure(.truncated))
    }

    @Test(arguments: UInt16(1)...19)
    func aPayloadLengthShorterThanTheHeaderIsTruncated(length: UInt16) {
        let packet = IPv6Packet(payloadLength: length, padding: [UInt8](repeating: 0xff, count: 20))
        #expect(read(packet.bytes) == .failure(.truncated))
    }

    @Test(arguments: [UInt16(20), 21, 1000, 65_535])
    func aPayloadLengthLongerThanTheCaptureIsFine(length: UInt16) {
        #expect(read(IPv6Packet(payloadLength: length).bytes).segment != nil)
    }

    @Test(arguments: [UInt16(43), 44, 45])
    func thePayloadLengthIsMeasuredFromTheExtensionHeadersToo(length: UInt16) {
        let packet = IPv6Packet(
            payloadLength: length, headers: [.hopByHop(length: 1), .fragment()], padding: [0, 0])
        #expect(read(packet.bytes).fault == (length < 44 ? .truncated : nil))
    }

    /// What follows the payload is the link's, and must not be read as one more extension header.
    @Test func theWalkEndsWhereThePayloadDoes() {
        let packet = IPv6Packet(payloadLength: 8, headers: [.hopByHop(), .fragment(offset: 1)]).bytes
        #expect(read(packet) == .failure(.truncated))
    }

    @Test func paddingAfterThePacketChangesNothing() {
        let plain = read(IPv6Packet().bytes)
        #expect(read(IPv6Packet(padding: [UInt8](repeating: 0xff, count: 20)).bytes) == plain)
    }

    @Test(arguments: kinds)
    func noSegmentIsReadFromPadding(header: ExtensionHeader) {
        // The packet ends before, within or after the extension header; what would be the rest is the link's.
        let whole = IPv6Packet(headers: [header]).bytes
        for payloadLength in 1..<whole.count - 40 {
            var packet = whole
            packet.replaceSubrange(4..<6, with: UInt16(payloadLength).octets)
            #expect(read(packet).segment == nil)
        }
    }
}
