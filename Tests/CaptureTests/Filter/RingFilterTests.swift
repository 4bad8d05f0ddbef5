import CLinux
import ScanCore
import System
import Testing

@testable import Capture

private typealias P = TestPacket

private let plain = RingFilter(interfaces: nil, direction: .incoming, promiscuous: false).program

private func isKept(
    _ packet: [UInt8], of etherType: UInt16, by filter: [sock_filter] = plain,
    kind: Int32 = PACKET_HOST, interface: Int32 = 1
) throws -> Bool {
    let machine = FilterMachine(etherType: etherType, kind: UInt8(kind), interface: interface)
    return try #require(machine.verdict(of: filter, on: packet)) > 0
}

/// Packets by the type they have in an Ethernet frame, for a segment with some flags. All hold it whole.
private func shapes(flags: UInt8) -> [(etherType: UInt16, packet: [UInt8])] {
    let (ipv4, ipv6) = (P.ipv4(P.tcp(flags: flags)), P.ipv6(P.tcp(flags: flags)))
    return [
        (0x0800, ipv4), (0x86dd, ipv6),
        (0x0800, P.ipv4(P.tcp(flags: flags), options: 4)), (0x0800, P.ipv4(P.tcp(flags: flags), options: 40)),
        (0x8100, P.tag(ipv4, type: 0x0800)), (0x8100, P.tag(ipv6, type: 0x86dd)),
        (0x88a8, P.tag(ipv4, type: 0x0800)), (0x9100, P.tag(ipv6, type: 0x86dd)),
        (0x8864, P.session(ipv4)), (0x8864, P.session(ipv6, pppProtocol: 0x57)),
        (0x8847, P.labels(ipv4)), (0x8848, P.labels(ipv6)),
        (0x8909, P.securityTag(ipv4, type: 0x0800)), (0x8909, P.securityTag(ipv6, type: 0x86dd)),
    ]
}

struct RingFilterTests {
    @Test func onlyEstablishedDataOfSegmentsIsDropped() throws {
        for flags in UInt8.min...UInt8.max {
            for (index, shape) in shapes(flags: flags).enumerated() {
                let isData = TCPFlags(rawValue: flags).isEstablishedData
                #expect(try isKept(shape.packet, of: shape.etherType) != isData, "flags \(flags), shape \(index)")
            }
        }
    }

    @Test func attemptsAreSegmentsWithSYNAndWithoutACK() throws {
        let filter = RingFilter(interfaces: nil, direction: .both, promiscuous: true, interest: .attempts).program
        for flags in UInt8.min...UInt8.max {
            for (index, shape) in shapes(flags: flags).enumerated() {
                let isKept = try isKept(shape.packet, of: shape.etherType, by: filter)
                #expect(isKept == (flags & 0x12 == 0x02), "flags \(flags), shape \(index)")
            }
        }
        #expect(try isKept(P.ipv4(P.tcp(flags: P.ack), fragment: 0x2000), of: 0x0800, by: filter))
        #expect(try isKept(P.ipv6(P.options(P.tcp(flags: P.ack)), next: 0), of: 0x86dd, by: filter))
    }

    @Test(arguments: [0x2000, 0x0001, 0x2001, 0x1fff, 0x3fff] as [UInt16])
    func everyFragmentOfIPv4IsKept(field: UInt16) throws {
        #expect(try isKept(P.ipv4(P.tcp(flags: P.ack), fragment: field), of: 0x0800))
    }

    @Test func dontFragmentIsNoFragment() throws {
        #expect(try !isKept(P.ipv4(P.tcp(flags: P.ack), fragment: 0x4000), of: 0x0800))
    }

    @Test(arguments: [0x0000, 0x0001, 0x0008, 0x0009, 0xfff8])
    func everyFragmentOfIPv6IsKept(field: Int) throws {
        #expect(try isKept(P.ipv6(P.fragment(P.tcp(flags: P.ack), field: field), next: 44), of: 0x86dd))
    }

    /// Only the first fragment says what the packet holds: a later one may lie.
    @Test func aLaterFragmentIsKeptWhateverItSaysItIsOf() throws {
        for next in UInt8.min...UInt8.max {
            #expect(try isKept(P.ipv6(P.fragment([1, 2], next: next, field: 8), next: 44), of: 0x86dd))
        }
    }

    @Test func aFirstFragmentOfAnotherProtocolIsDropped() throws {
        #expect(try !isKept(P.ipv6(P.fragment([1, 2], next: 17, field: 1), next: 44), of: 0x86dd))
    }

    @Test(arguments: [0, 43, 51, 60] as [UInt8])
    func packetsWithExtensionHeadersAreKept(next: UInt8) throws {
        #expect(try isKept(P.ipv6(P.options(P.tcp(flags: P.ack)), next: next), of: 0x86dd))
        let inFragment = P.fragment(P.options(P.tcp(flags: P.syn)), next: next, field: 1)
        #expect(try isKept(P.ipv6(inFragment, next: 44), of: 0x86dd))
    }

    @Test func whatCannotBeJudgedIsKept() throws {
        let packet = P.ipv4(P.tcp(flags: P.ack))
        #expect(try isKept(P.tag(P.tag(packet, type: 0x0800), type: 0x8100), of: 0x88a8))
        #expect(try isKept(P.tag(P.session(packet), type: 0x8864), of: 0x8100))
        #expect(try isKept(P.session(packet, pppProtocol: 0x2145), of: 0x8864))  // PPP's protocol in one byte
        #expect(try isKept(P.labels(packet, count: 2), of: 0x8847))
        #expect(try isKept(P.tag(P.labels(packet), type: 0x8847), of: 0x8100))
        #expect(try isKept(P.securityTag(packet, type: 0x0800, units: 2), of: 0x8909))
        #expect(try isKept(P.securityTag(P.tag(packet, type: 0x0800), type: 0x8100), of: 0x8909))
    }

    /// Ethernet in MPLS begins with a control word whose first half byte is 0 (RFC 4385).
    @Test func whatIsNoIPPacketBehindALabelIsDropped() throws {
        let frame = [UInt8](repeating: 2, count: 12) + [8, 0] + P.ipv4(P.tcp(flags: P.syn))
        #expect(try !isKept(P.labels([0, 0, 0, 0] + frame), of: 0x8847))
    }

    @Test(arguments: [1, 17, 47, 50, 58, 132] as [UInt8])
    func otherProtocolsAreDropped(next: UInt8) throws {
        #expect(try !isKept(P.ipv4(P.tcp(flags: P.syn), next: next), of: 0x0800))
        #expect(try !isKept(P.ipv6(P.tcp(flags: P.syn), next: next), of: 0x86dd))
    }

    @Test(arguments: [0x0004, 0x0806, 0x8863, 0x88cc] as [UInt16])
    func framesOfOtherProtocolsAreDropped(etherType: UInt16) throws {
        #expect(try !isKept(P.ipv4(P.tcp(flags: P.syn)), of: etherType))
    }

    @Test func directionAndAddresseeAreSelected() throws {
        let packet = P.ipv4(P.tcp(flags: P.syn))
        for direction in [.incoming, .outgoing, .both] as [CaptureOptions.Direction] {
            for promiscuous in [false, true] {
                let filter = RingFilter(interfaces: nil, direction: direction, promiscuous: promiscuous).program
                let comesIn = direction != .outgoing
                #expect(try isKept(packet, of: 0x0800, by: filter, kind: PACKET_HOST) == comesIn)
                #expect(try isKept(packet, of: 0x0800, by: filter, kind: PACKET_BROADCAST) == comesIn)
                #expect(try isKept(packet, of: 0x0800, by: filter, kind: PACKET_OUTGOING) == (direction != .incoming))
                #expect(try isKept(packet, of: 0x0800, by: filter, kind: PACKET_OTHERHOST) == (promiscuous && comesIn))
            }
        }
    }

    @Test(arguments: 0...InterfaceNames.most) func onlyNamedInterfacesAreKept(count: Int) throws {
        var interfaces = InterfaceIndexes()
        for index in 0..<count { interfaces.append(Int32(100 + index)) }
        let filter = RingFilter(interfaces: interfaces, direction: .incoming, promiscuous: false).program
        let packet = P.ipv4(P.tcp(flags: P.syn))
        for index in 0..<20 {
            let isWanted = index < count
            #expect(try isKept(packet, of: 0x0800, by: filter, interface: Int32(100 + index)) == isWanted)
        }
        #expect(try !isKept(P.ipv4(P.tcp(flags: P.ack)), of: 0x0800, by: filter, interface: 100))
    }

    @Test(arguments: 0...InterfaceNames.most) func theKernelTakesTheProgram(count: Int) throws {
        var interfaces = InterfaceIndexes()
        for index in 0..<count { interfaces.append(Int32(index)) }
        let filter = RingFilter(interfaces: interfaces, direction: .incoming, promiscuous: false)
        let socket = try Socket(AF_UNIX, SOCK_DGRAM, 0, name: "test socket")
        try socket.attach(filter.instructions.span.extracting(0..<filter.count))
    }

    /// What comes through may be cut off by the filter's verdict; what is dropped must be nothing that counts.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func theFilterLosesNothingThatUserSpaceWouldCount(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<20_000 {
            let (etherType, packet) = randomPacket(&numbers)
            let machine = FilterMachine(etherType: etherType)
            let kept = try #require(machine.verdict(of: plain, on: packet))
            let whole = Outcome(of: packet, etherType)
            if kept == 0 {
                #expect(!whole.counts, "seed \(seed), \(etherType), \(packet)")
            } else {
                #expect(Outcome(of: Array(packet.prefix(kept)), etherType) == whole, "seed \(seed), \(packet)")
            }
        }
    }
}

/// What user space makes of a packet alone.
private enum Outcome: Equatable {
    case segment(Probe)
    case fault(PacketFault)

    init(of payload: [UInt8], _ etherType: UInt16) {
        do throws(PacketFault) {
            let offset = try PacketPlace(etherType: etherType, in: payload.span).offset
            self = .segment(try Probe(packet: payload.span.extracting(offset..<payload.count)))
        } catch {
            self = .fault(error)
        }
    }

    var counts: Bool {
        switch self {
        case .segment(let segment): !segment.isEstablishedData
        case .fault(let fault): fault == .fragment
        }
    }
}

/// A packet of any shape with a few bytes changed, most often where it matters, and sometimes cut off.
private func randomPacket(_ numbers: inout SeededNumbers) -> (UInt16, [UInt8]) {
    let flags: UInt8 =
        [P.syn, P.ack, P.pshAck, .random(in: 0...255, using: &numbers)].randomElement(using: &numbers) ?? 0
    var payload = P.tcp(flags: flags)
    var next: UInt8 = 6
    if Bool.random(using: &numbers) {
        for _ in 0..<Int.random(in: 0...9, using: &numbers) {
            let kind: UInt8 = [0, 43, 44, 51, 60].randomElement(using: &numbers) ?? 0
            let units = UInt8.random(in: 1...5, using: &numbers)
            let field = [0, 1, 2, 8, 9].randomElement(using: &numbers) ?? 0
            payload =
                kind == 44
                ? P.fragment(payload, next: next, field: field) : P.options(payload, next: next, units: units)
            next = kind
        }
        payload = P.ipv6(payload, next: next)
    } else {
        let field: UInt16 = [0, 0, 0x4000, 0x2000, 1].randomElement(using: &numbers) ?? 0
        payload = P.ipv4(payload, options: Int.random(in: 0...10, using: &numbers) * 4, fragment: field)
    }
    var type: UInt16 = payload[0] >> 4 == 4 ? 0x0800 : 0x86dd
    if Int.random(in: 0..<8, using: &numbers) == 0 {
        payload = P.session(payload, pppProtocol: type == 0x0800 ? 0x21 : 0x57)
        type = 0x8864
    } else if Int.random(in: 0..<8, using: &numbers) == 0 {
        payload = P.labels(payload, count: .random(in: 1...3, using: &numbers))
        type = 0x8847
    } else if Int.random(in: 0..<8, using: &numbers) == 0 {
        payload = P.securityTag(payload, type: Int(type), units: .random(in: 1...2, using: &numbers))
        type = 0x8909
    }
    for _ in 0..<([0, 0, 0, 1, 1, 2].randomElement(using: &numbers) ?? 0) {
        payload = P.tag(payload, type: Int(type))
        type = [0x8100, 0x88a8, 0x9100].randomElement(using: &numbers) ?? 0
    }
    for _ in 0..<([0, 0, 1, 3].randomElement(using: &numbers) ?? 0) {
        payload[Int.random(in: 0..<min(64, payload.count), using: &numbers)] = .random(in: 0...255, using: &numbers)
    }
    if Int.random(in: 0..<8, using: &numbers) == 0 {
        payload = Array(payload.prefix(Int.random(in: 0...payload.count, using: &numbers)))
    }
    return (type, payload)
}
