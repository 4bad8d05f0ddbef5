import Testing

@testable import ScanCore

private func attempt(in packet: [UInt8]) -> Result<Attempt, PacketFault> {
    Result { () throws(PacketFault) in try Attempt(packet: packet.span, realTime: 7) }
}

private let expected = Attempt(
    source: address("10.77.0.1"), destination: address("10.77.0.2"), sourcePort: 40_000, destinationPort: 80,
    realTime: 7)

/// The 8 bytes of a UDP header.
private let udp: [UInt8] = [0x9c, 0x40, 0, 80, 0, 8, 0xbe, 0xef]

struct AttemptTests {
    @Test func aSegmentWithSYNAndWithoutACKIsAnAttempt() throws {
        for flags in UInt8.min...UInt8.max {
            let packet = IPv4Packet(payload: TCPHeader(flags: TCPFlags(rawValue: flags)).bytes).bytes
            let segment = try Probe(packet: packet.span)
            #expect(Attempt(segment, realTime: 7) == (flags & 0x12 == 0x02 ? expected : nil), "flags \(flags)")
        }
    }

    @Test func portsAreReadOfTCPAndUDPWhateverTheySay() {
        #expect(attempt(in: IPv4Packet(payload: TCPHeader(flags: .ack).bytes).bytes) == .success(expected))
        #expect(attempt(in: IPv4Packet(ipProtocol: 17, payload: udp).bytes) == .success(expected))
        #expect(
            attempt(in: IPv4Packet(ipProtocol: 17, options: [1, 1, 1, 0], payload: udp).bytes) == .success(expected))
        for other in UInt8.min...UInt8.max where other != 6 && other != 17 {
            #expect(attempt(in: IPv4Packet(ipProtocol: other, payload: udp).bytes) == .failure(.otherProtocol))
        }
    }

    @Test func theFirstFragmentHasThePortsAndNoOther() {
        let first = IPv4Packet(fragment: 0x2000, ipProtocol: 17, payload: udp)
        #expect(attempt(in: first.bytes) == .success(expected))
        for field in [0x2001, 0x0001, 0x1fff] as [UInt16] {
            #expect(attempt(in: IPv4Packet(fragment: field, ipProtocol: 17, payload: udp).bytes) == .failure(.fragment))
        }
    }

    @Test(arguments: [6, 17] as [UInt8])
    func fourBytesBehindTheIPHeaderAreEnough(kind: UInt8) {
        let packet = IPv4Packet(ipProtocol: kind, payload: udp).bytes
        for length in packet.indices {
            #expect((attempt(in: Array(packet[..<length])) == .failure(.truncated)) == (length < 24), "\(length) bytes")
        }
        // The length that the header gives counts as well.
        let short = IPv4Packet(totalLength: 23, ipProtocol: kind, payload: udp).bytes
        #expect(attempt(in: short) == .failure(.truncated))
    }
}

/// Packets and first fragments that end before the TCP header does.
struct CutHeaderTests {
    private static func cut(_ length: Int) -> [UInt8] {
        IPv4Packet(fragment: 0x2000, payload: Array(TCPHeader().bytes[..<length])).bytes
    }

    @Test(arguments: 0...19)
    func thePortsAreEnoughAndTheFlagsAreReadIfTheyAreThere(length: Int) throws {
        let segment = try Probe(beginningIn: Self.cut(length).span)
        #expect((segment != nil) == (length >= 4))
        if let segment {
            #expect(segment.flags == (length >= 14 ? .syn : nil))
            #expect(segment.timeToLive == 57)
            #expect(Attempt(segment, realTime: 7) == expected)
        }
    }

    @Test(arguments: [8, 16])
    func aFirstFragmentCountsAtOnceAndForWhoTakesCutHeadersOnce(length: Int) throws {
        let rest = IPv4Packet(
            fragment: UInt16(length / 8), payload: Array(TCPHeader().bytes[length...])
        ).bytes
        let flags: TCPFlags? = length == 16 ? .syn : nil
        let ordinary = ReaderWatch()
        #expect(try ordinary.segments(of: Self.cut(length)).map(\.flags) == [flags])
        if length == 8 { #expect(try ordinary.segments(of: rest).map(\.flags) == [.syn]) }
        let eager = ReaderWatch(takesCutHeaders: true)
        #expect(try eager.segments(of: Self.cut(length)).map(\.flags) == [flags])
        #expect(throws: PacketFault.fragment) { try eager.segments(of: rest) }
    }

    /// What a reader makes of a packet alone, of which a capture keeps so many bytes.
    private static func read(_ packet: [UInt8], _ length: Int, eager: Bool = true) -> Result<Probe?, PacketFault> {
        Result { () throws(PacketFault) in
            let kept = Array(packet[..<length])
            let reader = ReaderWatch(takesCutHeaders: eager)
            return try reader.segments(of: kept).first
        }
    }

    /// Packets, and where in them the TCP header begins, with which they end.
    private static let packets: [(start: Int, packet: [UInt8])] = [
        (20, IPv4Packet().bytes),
        (24, IPv4Packet(options: [1, 1, 1, 0]).bytes),
        (20, IPv4Packet(fragment: 0x2000).bytes),
        (40, IPv6Packet().bytes),
        (48, IPv6Packet(headers: [.hopByHop()]).bytes),
        (48, IPv6Packet(headers: [.fragment(lowBits: 1)]).bytes),
    ]

    @Test(arguments: packets)
    func whatACaptureCutsOffCountsFromTheFlagsOnForWhoAsks(start: Int, packet: [UInt8]) throws {
        let whole = try Probe(packet: packet.span)
        for length in packet.indices {
            #expect(Self.read(packet, length, eager: false) == .failure(.truncated))
            let expected: Result<Probe?, PacketFault> = length < start + 14 ? .failure(.truncated) : .success(whole)
            #expect(Self.read(packet, length) == expected, "\(length) of \(packet.count) bytes")
        }
    }

    @Test(arguments: 0...19)
    func whatSaysItselfThatItIsCutCountsFromTheFlagsOn(length: Int) {
        for packet in [
            IPv4Packet(totalLength: UInt16(20 + length)).bytes, IPv6Packet(payloadLength: UInt16(max(length, 1))).bytes,
        ] {
            #expect(Self.read(packet, packet.count, eager: false) == .failure(.truncated))
            let flags = try? Self.read(packet, packet.count).get()?.flags
            #expect(flags == (length >= 14 ? .syn : nil))
        }
    }

    @Test func whatIsCutOffAndNoTCPIsNoSegment() {
        #expect(Self.read(IPv4Packet(ipProtocol: 17).bytes, 34) == .failure(.otherProtocol))
        #expect(Self.read(IPv4Packet(headerWords: 4).bytes, 34) == .failure(.malformed))
        let later = IPv6Packet(headers: [.hopByHop(), .fragment(offset: 1)]).bytes
        #expect(Self.read(later, 50) == .failure(.truncated))
    }
}
