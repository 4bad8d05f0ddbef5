import Testing

@testable import ScanCore

/// What the IPv4 header says of lengths, fragments and protocols.
struct SegmentIPv4Tests {
    @Test(arguments: UInt8(0)...15)
    func theHeaderLengthIsHonouredFrom20To60Bytes(words: UInt8) {
        let count = max(Int(words) - 5, 0) * 4
        let packet = IPv4Packet(headerWords: words, options: [UInt8](repeating: 0x44, count: count)).bytes
        if words < 5 {
            #expect(read(packet) == .failure(.malformed))
        } else {
            #expect(read(packet).segment?.destinationPort == 80)
            #expect(read(packet).segment?.flags == .syn)
        }
    }

    @Test(arguments: UInt8(6)...15)
    func aHeaderLengthThatLeavesTooLittleIsTruncated(words: UInt8) {
        #expect(read(IPv4Packet(headerWords: words).bytes) == .failure(.truncated))
    }

    @Test(arguments: 1...10)
    func everyLengthOfOptionsIsSkipped(words: Int) {
        let options = (0..<words * 4).map { UInt8($0) }
        let packet = IPv4Packet(options: options, payload: TCPHeader(destinationPort: 22, flags: .fin).bytes)
        #expect(read(packet.bytes).segment?.destinationPort == 22)
        #expect(read(packet.bytes).segment?.flags == .fin)
    }

    @Test func aTotalLengthOf0StandsForAllThereIs() {
        let packet = IPv4Packet(totalLength: 0, options: [UInt8](repeating: 1, count: 40)).bytes
        #expect(read(packet).segment != nil)
        #expect(read(packet.dropLast()) == .failure(.truncated))
    }

    /// The padding of the shortest Ethernet frame must not be read as a header.
    @Test(arguments: [45, 46, 47])
    func aTotalLengthOf0IsNotBelievedInAShortFrame(length: Int) {
        let packet = IPv4Packet(totalLength: 0).bytes
        let padded = packet + [UInt8](repeating: 0, count: length - packet.count)
        #expect(read(padded).fault == (length <= 46 ? .truncated : nil))
    }

    @Test(arguments: UInt16(1)...39)
    func aTotalLengthShorterThanTheHeadersIsTruncated(length: UInt16) {
        let packet = IPv4Packet(totalLength: length, padding: [UInt8](repeating: 0xff, count: 20))
        #expect(read(packet.bytes) == .failure(.truncated))
    }

    @Test(arguments: [UInt16(40), 41, 60, 65_535])
    func aTotalLengthLongerThanTheCaptureIsFine(length: UInt16) {
        #expect(read(IPv4Packet(totalLength: length).bytes).segment != nil)
    }

    @Test(arguments: [UInt16(59), 60, 61])
    func theTotalLengthIsMeasuredFromTheOptionsToo(length: UInt16) {
        let packet =
            IPv4Packet(totalLength: length, options: [UInt8](repeating: 1, count: 20)).bytes + [0, 0]
        #expect(read(packet).fault == (length < 60 ? .truncated : nil))
    }

    @Test func paddingAfterThePacketChangesNothing() {
        let plain = read(IPv4Packet().bytes)
        for count in 1...6 {
            #expect(read(IPv4Packet(padding: [UInt8](repeating: 0xff, count: count)).bytes) == plain)
        }
    }

    @Test(arguments: 0...19)
    func paddingIsNeverReadAsTheTCPHeader(whole: Int) {
        // As nmap -f sends it on a wire that pads frames to 60 bytes: 8 bytes of TCP header, then zeros.
        let payload = [UInt8](TCPHeader().bytes.prefix(whole))
        let packet = IPv4Packet(
            fragment: 0x2000, payload: payload, padding: [UInt8](repeating: 0, count: 60))
        #expect(read(packet.bytes) == .failure(.fragment))
    }

    @Test(arguments: 0...19)
    func aFirstFragmentThatTheCaptureCutOffIsTruncated(whole: Int) {
        let packet = IPv4Packet(fragment: 0x2000, payload: [UInt8](TCPHeader().bytes.prefix(whole))).bytes
        for length in 0..<packet.count { #expect(read(packet.prefix(length)) == .failure(.truncated)) }
    }

    @Test(arguments: [UInt16(0), 0x2000, 0x4000, 0x8000, 0xe000])
    func aFirstFragmentThatHoldsTheHeaderCounts(field: UInt16) {
        #expect(read(IPv4Packet(fragment: field).bytes).segment != nil)
    }

    @Test(arguments: (0..<13).map { UInt16(1) << $0 } + [0x1fff])
    func aLaterFragmentDoesNotCount(offset: UInt16) {
        #expect(read(IPv4Packet(fragment: offset).bytes) == .failure(.fragment))
        #expect(read(IPv4Packet(fragment: offset | 0x2000).bytes) == .failure(.fragment))
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func onlyProtocol6IsTCP(number: UInt8) {
        let fault = read(IPv4Packet(ipProtocol: number).bytes).fault
        #expect(fault == (number == 6 ? nil : .otherProtocol))
    }

    @Test func aLaterFragmentOfAnotherProtocolIsNotTCP() {
        #expect(read(IPv4Packet(fragment: 185, ipProtocol: 17).bytes) == .failure(.otherProtocol))
    }
}

/// The quick way through the parser.
struct PlainPacketTests {
    @Test func aPlainPacketIsWhole() throws {
        let packet = IPv4Packet().bytes
        let isPlain = try Probe.isPlain(packet.span)
        let probe = try Probe(plain: packet.span)
        let expected = try Probe(packet: packet.span)
        #expect(isPlain && probe == expected)
    }

    @Test func aPlainResetHasItsNumbers() throws {
        var packet = IPv4Packet(payload: TCPHeader(flags: .rst).bytes).bytes
        for index in 24..<28 { packet[index] = 0 }
        let probe = try Probe(plain: packet.span)
        #expect(probe.hasZeroSequence && !probe.hasZeroAcknowledgment)
    }

    @Test func everyByteThatMattersMakesItAnother() throws {
        // Each value of each byte, and each length: the quick way either gives the same, or leaves the packet alone.
        var plain = 0
        let packet = IPv4Packet(padding: [1, 2, 3]).bytes
        for index in packet.indices {
            for value in UInt8.min...UInt8.max {
                var changed = packet
                changed[index] = value
                if try isTheSame(changed) { plain += 1 }
            }
        }
        for length in 0..<packet.count where try isTheSame(Array(packet[..<length])) { plain += 1 }
        #expect(plain > 20 * 256 && plain < packet.count * 256)
    }

    /// Whether the quick way takes a packet; then what it gives is compared.
    private func isTheSame(_ packet: [UInt8]) throws -> Bool {
        if try !Probe.isPlain(packet.span) { return false }
        let probe = try Probe(plain: packet.span)
        let expected = try Probe(packet: packet.span)
        #expect(probe == expected, "\(packet)")
        return true
    }
}
