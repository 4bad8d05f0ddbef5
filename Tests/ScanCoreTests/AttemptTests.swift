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
            let segment = try Segment(packet: packet.span)
            #expect(Attempt(segment, realTime: 7) == (flags & 0x12 == 0x02 ? expected : nil), "flags \(flags)")
        }
    }

    @Test func portsAreReadOfTCPAndUDPWhateverTheySay() {
        #expect(attempt(in: IPv4Packet(payload: TCPHeader(flags: .ack).bytes).bytes) == .success(expected))
        #expect(attempt(in: IPv4Packet(ipProtocol: 17, payload: udp).bytes) == .success(expected))
        #expect(
            attempt(in: IPv4Packet(ipProtocol: 17, options: [1, 1, 1, 0], payload: udp).bytes) == .success(expected))
        for other in UInt8.min...UInt8.max where other != 6 && other != 17 {
            #expect(attempt(in: IPv4Packet(ipProtocol: other, payload: udp).bytes) == .failure(.notTCP))
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

/// First fragments that end before the TCP header does.
struct CutHeaderTests {
    private static func cut(_ length: Int) -> [UInt8] {
        IPv4Packet(fragment: 0x2000, payload: Array(TCPHeader().bytes[..<length])).bytes
    }

    @Test(arguments: 0...19)
    func theFlagsAreEnough(length: Int) throws {
        let segment = try Segment(cutHeaderIn: Self.cut(length).span)
        #expect((segment != nil) == (length >= 14))
        if let segment {
            #expect(segment.flags == .syn)
            #expect(segment.timeToLive == 57)
            #expect(Attempt(segment, realTime: 7) == expected)
        }
    }

    @Test func aReaderTakesThemOnRequestOnlyAndOnce() throws {
        let rest = IPv4Packet(fragment: 0x0002, payload: Array(TCPHeader().bytes[16...])).bytes
        let now = Timestamp(nanoseconds: 0)
        var ordinary = PacketReader(key: HashKey([1, 2, 3, 4, 5]))
        #expect(try ordinary.read(Self.cut(16).span, at: now) == nil)
        #expect(try ordinary.read(rest.span, at: now)?.flags == .syn)
        var eager = PacketReader(key: HashKey([1, 2, 3, 4, 5]), takesCutHeaders: true)
        #expect(try eager.read(Self.cut(16).span, at: now)?.flags == .syn)
        #expect(try eager.read(rest.span, at: now) == nil)
    }
}
