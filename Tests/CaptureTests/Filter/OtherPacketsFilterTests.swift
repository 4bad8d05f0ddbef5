import CLinux
import System
import Testing

@testable import Capture
@testable import ScanCore

private typealias P = TestPacket

/// A packet that may be of use to other kinds of scans, and what it holds, known from how it was made.
private struct OtherPacket {
    var transport: UInt8
    var isIPv6: Bool
    var isOwn: Bool
    var port = 0
    var sourcePort = 0
    var flags: UInt8 = 0
    var type: UInt8 = 0
    /// Only a first fragment, or none.
    var isLater = false
    var bytes: [UInt8]
}

/// A host with some open ports, below and above those of its clients.
private struct Host {
    static let listening: [UInt16] = [22, 25, 53, 80, 443, 993, 3306, 5432, 8080, 9000, 20_000, 32_767, 40_000]
    static let bound: [UInt16] = [53, 68, 123, 443, 514, 1900, 5353, 30_000, 33_000]
    static let ipv4 = Address(ipv4: 0x0a4d_0002)
    static let ipv6 = Address(ipv6High: 0xfd << 56, low: 2)

    static func packets(_ kinds: [WritableKeyPath<OtherPackets, Bool>]) -> OtherPackets {
        var host = OwnHost()
        for port in listening { host.ports.tcp.insert(port) }
        for port in bound { host.ports.udp.insert(port) }
        #expect(host.addresses.insert(ipv4, .forTests) && host.addresses.insert(ipv6, .forTests))
        host.knowsPorts = true
        var packets = OtherPackets()
        for kind in kinds { packets[keyPath: kind] = true }
        let isChanged = packets.update(&host, firstClientPort: 32_768)
        let isChangedAgain = packets.update(&host, firstClientPort: 32_768)
        #expect(isChanged && !isChangedAgain)
        return packets
    }

    static var all: [WritableKeyPath<OtherPackets, Bool>] {
        [\.echoes, \.errors, \.protocols, \.associations, \.datagrams, \.acknowledgements]
    }
}

private struct Generator {
    var numbers: SeededNumbers

    private mutating func draw<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &numbers)]
    }

    private mutating func port() -> Int {
        let known = [0, 1, 1023, 1024, 32_766, 32_768, 65_535] + (Host.listening + Host.bound).map { Int($0) }
        let near = draw(known) + Int.random(in: -1...1, using: &numbers)
        return Bool.random(using: &numbers) ? max(0, min(near, 65_535)) : Int.random(in: 0...65_535, using: &numbers)
    }

    mutating func packet() -> OtherPacket {
        let isIPv6 = Bool.random(using: &numbers)
        let transport = draw([
            17, 17, 17, 6, 6, 6, 132, 132, isIPv6 ? 58 : 1, 1, 58, UInt8.random(in: 61...255, using: &numbers),
        ])
        var packet = OtherPacket(
            transport: transport, isIPv6: isIPv6, isOwn: Int.random(in: 0..<4, using: &numbers) > 0, bytes: [])
        (packet.port, packet.sourcePort) = (port(), port())
        packet.type = draw([0, 1, 3, 4, 8, 10, 128, 129, .random(in: 0...255, using: &numbers)])
        packet.flags = draw([P.ack, P.pshAck, 0x11, 0x10, 0x12])
        let ports = P.big(packet.sourcePort) + P.big(packet.port)
        let rest = [UInt8](repeating: 9, count: 30)
        var payload: [UInt8]
        switch transport {
        case 17: payload = ports + P.big(38) + [0, 0] + rest
        case 6: payload = ports + [0, 0, 0, 1] + [0, 0, 0, 1] + [0x50, packet.flags, 4, 0] + [0, 0, 0, 0]
        case 132: payload = ports + [0, 0, 0, 0] + [0, 0, 0, 0] + [packet.type, 0, 0, 20] + rest
        default: payload = [packet.type, 3, 0, 0, 0, 0, 0, 0] + rest
        }
        if isIPv6 {
            if Int.random(in: 0..<4, using: &numbers) == 0 && transport != 6 {
                payload = P.fragment(payload, next: transport, field: draw([0, 1]))
                packet.bytes = P.ipv6(payload, next: 44)
            } else {
                packet.bytes = P.ipv6(payload, next: transport)
            }
            if !packet.isOwn { packet.bytes[Int.random(in: 24..<40, using: &numbers)] ^= 0x40 }
        } else {
            packet.isLater = transport != 6 && Int.random(in: 0..<8, using: &numbers) == 0
            let fragment: UInt16 = packet.isLater ? draw([1, 100, 0x2001]) : draw([0, 0x4000])
            let options = draw([0, 0, 4, 40])
            packet.bytes = P.ipv4(payload, options: options, fragment: fragment, next: transport)
            if !packet.isOwn { packet.bytes[Int.random(in: 16..<20, using: &numbers)] ^= 0x40 }
        }
        return packet
    }
}

extension OtherPacket {
    /// Whether the kinds need it: the rules of DETECTION.md, of the way it was made.
    func isNeeded(_ packets: OtherPackets) -> Bool {
        if isLater { return false }
        let isLow = port < 32_768
        switch transport {
        case 17:
            let isOpen = Host.bound.contains(UInt16(port))
            let mayBeAnswer = sourcePort < 1024 && port >= 1024
            return packets.datagrams && isOwn && isLow && !isOpen && !mayBeAnswer
        case 6:
            if flags != P.ack && flags != P.pshAck { return true }
            return packets.acknowledgements && isOwn && isLow && !Host.listening.contains(UInt16(port))
        case 132: return packets.associations && (type == 1 || type == 10)
        case 1 where !isIPv6:
            return packets.echoes && (type == 8 || type == 0) || packets.errors && type == 3 && !isOwn
        case 58 where isIPv6:
            return packets.echoes && (type == 128 || type == 129)
                || packets.errors && (type == 1 || type == 4) && !isOwn
        default: return packets.protocols && !IPProtocol.isCommon(transport)
        }
    }

    /// Whether a filter may keep it though nothing needs it: the hints for ICMP are of the protocol, not of the version of
    /// IP, and libpcap's filter keeps all packets with a fragment header.
    var mayBeKept: Bool {
        transport == 1 && isIPv6 || transport == 58 && !isIPv6 || isIPv6 && bytes[6] == 44
    }
}

/// The two filters that keep other packets, each as a program for a packet of an Ethernet.
enum FilterOfOthers {
    case ring, libpcap

    func program(_ packets: OtherPackets) throws -> [sock_filter] {
        switch self {
        case .ring:
            return RingFilter(interfaces: nil, direction: .incoming, promiscuous: false, others: packets).program
        case .libpcap:
            #if Pcap
                return try pcapProgram(dataLinkType: 1, others: packets)
            #else
                return []
            #endif
        }
    }

    static var built: [FilterOfOthers] {
        #if Pcap
            [.ring, .libpcap]
        #else
            [.ring]
        #endif
    }

    fileprivate func verdict(of program: [sock_filter], on packet: OtherPacket) throws -> Int {
        let etherType: UInt16 = packet.isIPv6 ? 0x86dd : 0x0800
        let header = self == .ring ? [] : [UInt8](repeating: 2, count: 12) + P.big(Int(etherType))
        return try #require(FilterMachine(etherType: etherType).verdict(of: program, on: header + packet.bytes))
    }
}

struct OtherPacketsFilterTests {
    @Test(arguments: FilterOfOthers.built, [UInt64(1), 2, 3, .random(in: 0 ... .max)])
    func whatIsNeededIsKeptAndNothingElse(by filter: FilterOfOthers, seed: UInt64) throws {
        var generator = Generator(numbers: SeededNumbers(seed: seed))
        var kept: [UInt8: Int] = [:]
        var dropped = kept
        for number in 0..<40 {
            let kinds = Host.all.filter { _ in number < 10 || Bool.random(using: &generator.numbers) }
            let packets = Host.packets(kinds)
            let program = try filter.program(packets)
            for _ in 0..<400 {
                let packet = generator.packet()
                let verdict = try filter.verdict(of: program, on: packet)
                let isNeeded = packet.isNeeded(packets)
                try #require(
                    isNeeded == (verdict > 0) || verdict > 0 && packet.mayBeKept,
                    "seed \(seed): \(packet), verdict \(verdict)")
                if isNeeded { #expect(verdict >= min(packet.bytes.count, 128)) }
                if isNeeded {
                    kept[packet.transport, default: 0] += 1
                } else {
                    dropped[packet.transport, default: 0] += 1
                }
            }
        }
        for transport: UInt8 in [1, 6, 17, 58, 132] {
            #expect(kept[transport, default: 0] > 50 && dropped[transport, default: 0] > 50)
        }
    }

    /// With whatever is refused for a reason that the filter does not know, the detector does the same.
    @Test(arguments: [UInt64(7), .random(in: 0 ... .max)])
    func whatTheFilterDropsTheDetectorWouldIgnore(seed: UInt64) throws {
        var generator = Generator(numbers: SeededNumbers(seed: seed))
        let filter = RingFilter(
            interfaces: nil, direction: .incoming, promiscuous: false, others: Host.packets(Host.all)
        ).program
        for _ in 0..<3000 {
            let packet = generator.packet()
            let machine = FilterMachine(etherType: packet.isIPv6 ? 0x86dd : 0x0800)
            let verdict = try #require(machine.verdict(of: filter, on: packet.bytes))
            if verdict > 0 || packet.transport == 6 { continue }
            let event = try? PairEvent.read(packet.bytes.span, datagrams: true)
            switch event?.target {
            case .none: break
            case .udp where event?.outcome == .tried: #expect(!packet.isNeeded(Host.packets(Host.all)))
            case .udp, .tcp, .protocols: #expect(packet.isOwn, "\(packet)")  // an error that this host is told
            default: Issue.record("seed \(seed): \(packet)")
            }
        }
    }

    @Test func tooManyPortsAreLeftOutAltogether() {
        var host = OwnHost()
        for port in UInt16(1)...65 { host.ports.udp.insert(port) }
        for port in UInt16(1)...64 { host.ports.tcp.insert(port) }
        host.ports.tcp.insert(32_768)
        let isAdded = host.addresses.insert(Host.ipv4, .forTests)
        #expect(isAdded)
        var packets = OtherPackets()
        (packets.datagrams, packets.acknowledgements) = (true, true)
        _ = packets.update(&host, firstClientPort: 32_768)
        #expect(packets.hasTooManyDatagramPorts && !packets.hasTooManyListeningPorts)
        let filter = RingFilter(interfaces: nil, direction: .incoming, promiscuous: false, others: packets).program
        let machine = FilterMachine()
        let datagram = P.ipv4(P.big(40_000) + P.big(100) + [0, 8, 0, 0], next: 17)
        #expect(machine.verdict(of: filter, on: datagram) == 0)
        for port in UInt8(60)...70 {
            let verdict = machine.verdict(of: filter, on: P.ipv4(P.tcp(flags: P.ack, port: port)))
            #expect((verdict ?? 0 > 0) == (port > 64))
        }
    }

    /// The largest program there is, twice, as when it is replaced: with the room that Linux gives a socket for it.
    @Test func theKernelTakesTheLargestFilter() throws {
        var host = OwnHost()
        for port in UInt16(1)...64 {
            host.ports.tcp.insert(port * 500)
            host.ports.udp.insert(port * 501)
        }
        for number in UInt64(1)...16 {
            let isAdded = host.addresses.insert(Address(ipv6High: 0xfd77 << 48, low: number), .forTests)
            #expect(isAdded)
        }
        var packets = OtherPackets()
        for kind in Host.all { packets[keyPath: kind] = true }
        _ = packets.update(&host, firstClientPort: 60_999)
        #expect(!packets.hasTooManyDatagramPorts && !packets.hasTooManyListeningPorts)
        var interfaces = InterfaceIndexes()
        for index in Int32(1)...16 { interfaces.append(index) }
        let socket = try Socket(AF_INET, SOCK_DGRAM, 0, name: "socket")
        for _ in 0..<3 {
            let filter = RingFilter(interfaces: interfaces, direction: .incoming, promiscuous: false, others: packets)
            try socket.attach(filter.instructions.span.extracting(0..<filter.count))
            #expect(filter.count < filter.instructions.count)
        }
    }
}
