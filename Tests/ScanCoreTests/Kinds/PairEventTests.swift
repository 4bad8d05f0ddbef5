import Testing

@testable import ScanCore

/// What packets that are no TCP segments show.
struct PairEventTests {
    private struct Shown: Equatable {
        var target: PairClass
        var outcome: PairEvent.Outcome
        var source: Address
        var destination: Address
        var port: UInt16
    }

    private func shown(_ packet: [UInt8]) throws -> Shown? {
        try PairEvent.read(packet.span).map {
            Shown(target: $0.target, outcome: $0.outcome, source: $0.source, destination: $0.destination, port: $0.port)
        }
    }

    private let scanner = address("10.77.0.1")
    private let host = address("10.77.0.2")
    private let scanner6 = address("fd77::1")
    private let host6 = address("fd77::2")

    /// What the host sends.
    private func fromHost(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        IPv4Packet(ipProtocol: number, source: host, destination: scanner, payload: payload).bytes
    }

    private func fromHost6(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        IPv6Packet(source: host6, destination: scanner6, lastNext: number, payload: payload).bytes
    }

    private func udp(to port: UInt16) -> [UInt8] { UInt16(50_000).octets + port.octets + [0, 8, 0, 0] }

    @Test func echoRequestsAndTheirReplies() throws {
        let rest: [UInt8] = [0, 0, 0, 1, 2, 3, 4]
        #expect(
            try shown(IPv4Packet(ipProtocol: 1, payload: [8] + rest).bytes)
                == Shown(target: .echo, outcome: .tried, source: scanner, destination: host, port: 0))
        #expect(
            try shown(fromHost(1, [0] + rest))
                == Shown(target: .echo, outcome: .accepted, source: scanner, destination: host, port: 0))
        #expect(
            try shown(IPv6Packet(lastNext: 58, payload: [128] + rest).bytes)
                == Shown(target: .echo, outcome: .tried, source: scanner6, destination: host6, port: 0))
        #expect(
            try shown(fromHost6(58, [129] + rest))
                == Shown(target: .echo, outcome: .accepted, source: scanner6, destination: host6, port: 0))
        #expect(try shown(IPv4Packet(ipProtocol: 58, payload: [128] + rest).bytes) == nil)  // of the other version
        #expect(try shown(IPv4Packet(ipProtocol: 1, payload: [13] + rest).bytes) == nil)
    }

    @Test(arguments: [3, 9, 10, 13] as [UInt8])
    func aPortThatIsNotReachable(code: UInt8) throws {
        for (number, target) in [(17, .udp), (6, .tcp)] as [(UInt8, PairClass)] {
            let quote = IPv4Packet(ipProtocol: number, options: [1, 1, 1, 1], payload: udp(to: 161)).bytes
            #expect(
                try shown(fromHost(1, [3, code, 0, 0, 0, 0, 0, 0] + quote))
                    == Shown(target: target, outcome: .refused, source: scanner, destination: host, port: 161))
        }
        #expect(try shown(fromHost(1, [3, 1, 0, 0, 0, 0, 0, 0] + IPv4Packet(ipProtocol: 17).bytes)) == nil)
        #expect(try shown(fromHost(1, [11, 0, 0, 0, 0, 0, 0, 0] + IPv4Packet(ipProtocol: 17).bytes)) == nil)
    }

    @Test(arguments: [1, 4] as [UInt8])
    func aPortThatIsNotReachableOverIPv6(code: UInt8) throws {
        let quote = IPv6Packet(headers: [.destinationOptions()], lastNext: 17, payload: udp(to: 161)).bytes
        #expect(
            try shown(fromHost6(58, [1, code, 0, 0, 0, 0, 0, 0] + quote))
                == Shown(target: .udp, outcome: .refused, source: scanner6, destination: host6, port: 161))
    }

    @Test func whoWasNotTriedRefusesNothing() throws {
        let other = IPv4Packet(ipProtocol: 17, destination: address("10.77.0.3"), payload: udp(to: 161)).bytes
        #expect(try shown(fromHost(1, [3, 3, 0, 0, 0, 0, 0, 0] + other)) == nil)
        let others = IPv4Packet(ipProtocol: 17, source: address("10.77.0.3"), payload: udp(to: 161)).bytes
        #expect(try shown(fromHost(1, [3, 3, 0, 0, 0, 0, 0, 0] + others)) == nil)
    }

    @Test func protocolsThatAreRefusedOrNotCommon() throws {
        let refused = fromHost(1, [3, 2, 0, 0, 0, 0, 0, 0] + IPv4Packet(ipProtocol: 47).bytes)
        #expect(
            try shown(refused)
                == Shown(target: .protocols, outcome: .refused, source: scanner, destination: host, port: 47))
        let quote = IPv6Packet(headers: [.destinationOptions()], lastNext: 200).bytes
        #expect(
            try shown(fromHost6(58, [4, 1, 0, 0, 0, 0, 0, 40] + quote))
                == Shown(target: .protocols, outcome: .refused, source: scanner6, destination: host6, port: 200))
        #expect(
            try shown(IPv4Packet(ipProtocol: 200, payload: []).bytes)
                == Shown(target: .protocols, outcome: .tried, source: scanner, destination: host, port: 200))
        for number in [0, 1, 2, 4, 6, 17, 41, 47, 50, 51, 89, 112] as [UInt8] {
            #expect(
                try shown(IPv4Packet(ipProtocol: number, payload: [255] + [UInt8](repeating: 0, count: 30)).bytes)
                    == nil)
        }
    }

    @Test func theFirstChunkOfSCTP() throws {
        for (chunk, isShown) in [(1, true), (10, true), (0, false), (2, false), (6, false)] as [(UInt8, Bool)] {
            let packet = IPv4Packet(
                ipProtocol: 132, payload: [0x9c, 0x40, 0, 179] + [UInt8](repeating: 9, count: 8) + [chunk, 0, 0, 4])
            let expected = Shown(target: .sctp, outcome: .tried, source: scanner, destination: host, port: 179)
            #expect(try shown(packet.bytes) == (isShown ? expected : nil))
        }
    }

    @Test func whatIsCutOffShowsNothingElse() throws {
        let quote = IPv4Packet(ipProtocol: 17, payload: udp(to: 161)).bytes
        let packet = fromHost(1, [3, 3, 0, 0, 0, 0, 0, 0] + quote)
        for length in 0..<packet.count - 4 {  // what follows the ports is not read
            #expect(throws: PacketFault.truncated) { try shown(Array(packet.prefix(length))) }
        }
        let late = IPv4Packet(fragment: 0x0010, ipProtocol: 200)
        #expect(try shown(late.bytes) == nil)
        let pointer = fromHost6(58, [4, 1, 0, 0, 0xff, 0xff, 0xff, 0xff] + IPv6Packet().bytes)
        #expect(throws: PacketFault.truncated) { try shown(pointer) }
    }

    @Test func aNetworkHoldsItsAddresses() {
        var list = NetworkList()
        let areAdded = [
            list.append(address("10.77.0.77"), prefixLength: 24),
            list.append(address("fd77:0:0:bb::"), prefixLength: 64),
            list.append(address("192.0.2.1"), prefixLength: 32), list.append(address("2001:db8::1"), prefixLength: 128),
            list.append(address("10.0.0.0"), prefixLength: 33), list.append(address("::"), prefixLength: 129),
        ]
        #expect(areAdded == [true, true, true, true, false, false])
        for (text, isIn) in [
            ("10.77.0.0", true), ("10.77.0.255", true), ("10.77.1.0", false), ("fd77:0:0:bb:ffff::1", true),
            ("fd77:0:0:bc::1", false), ("192.0.2.1", true), ("192.0.2.0", false), ("2001:db8::1", true),
            ("2001:db8::2", false), ("::a4d:1", false),
        ] { #expect(list.contains(address(text)) == isIn, "\(text)") }
        for _ in 0..<12 { _ = list.append(address("0.0.0.0"), prefixLength: 0) }
        let isFull = !list.append(address("192.0.2.9"), prefixLength: 32)
        #expect(isFull && list.contains(address("255.255.255.255")) && !list.contains(address("::1")))
    }
}
