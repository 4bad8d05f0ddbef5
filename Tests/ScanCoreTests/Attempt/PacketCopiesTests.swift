import Testing

@testable import ScanCore

/// Packets that come from several interfaces.
struct PacketCopiesTests {
    private static let window = Parameters.copyWindow

    /// What is on its way, and which of its bytes a host may change that passes it on: as bits.
    private static let kinds: [(name: String, packet: [UInt8], changeable: [Int: UInt8])] = [
        (
            "TCP over IPv4", IPv4Packet().bytes,
            [1: 0xff, 6: 0x40, 8: 0xff, 10: 0xff, 11: 0xff, 36: 0xff, 37: 0xff, 38: 0xff, 39: 0xff]
        ),
        (
            "UDP over IPv4",
            IPv4Packet(ipProtocol: 17, payload: [0x9c, 0x40, 0, 53, 0, 16, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8]).bytes,
            [1: 0xff, 6: 0x40, 8: 0xff, 10: 0xff, 11: 0xff, 26: 0xff, 27: 0xff]
        ),
        (
            "TCP over IPv6", IPv6Packet().bytes,
            [0: 0x0f, 1: 0xf0, 7: 0xff, 56: 0xff, 57: 0xff, 58: 0xff, 59: 0xff]
        ),
    ]

    @Test(arguments: kinds)
    func aCopyIsWhatIsTheSameButForWhatChangesOnTheWay(
        kind: (name: String, packet: [UInt8], changeable: [Int: UInt8])
    ) {
        // What the lengths and the version decide is no part of it.
        let lengths = kind.packet[0] >> 4 == 4 ? [0, 2, 3, 6, 7, 9] : [4, 5, 6]
        for place in kind.packet.indices {
            for bit in 0..<8 {
                let mask: UInt8 = 1 << bit
                let mayChange = kind.changeable[place, default: 0] & mask != 0
                if !mayChange && (lengths.contains(place) || place == 0 && bit > 3) { continue }
                var other = kind.packet
                other[place] ^= mask
                let copies = Copies()
                #expect(!copies.isCopy(kind.packet, from: 1, at: 0))
                #expect(copies.isCopy(other, from: 2, at: 1) == mayChange, "\(kind.name), byte \(place), bit \(bit)")
            }
        }
    }

    @Test func aCopyComesFromAnotherInterfaceOrGoesTheOtherWay() {
        let copies = Copies()
        let packet = IPv4Packet().bytes
        #expect(!copies.isCopy(packet, from: 1, at: 0))
        #expect(copies.isCopy(packet, from: 2, at: 1))
        #expect(copies.isCopy(packet, from: 3, at: 2))
        #expect(copies.isCopy(packet, from: 1, goingOut: true, at: 3))
        #expect(copies.isCopy(packet, from: .max, at: 4))
        #expect(!copies.isCopy(packet, from: 1, at: 5), "it was sent again")
        #expect(copies.isCopy(packet, from: 2, at: 6))
        #expect(!copies.isCopy(packet, from: 1, at: 7))
    }

    @Test func whereTheInterfaceIsNotKnownNothingIsACopy() {
        let packet = IPv4Packet().bytes
        for (interface, other) in [(0, 0), (0, 1), (1, 0), (.min, 2), (3, .min)] as [(Int32, Int32)] {
            let copies = Copies()
            #expect(!copies.isCopy(packet, from: interface, at: 0))
            #expect(!copies.isCopy(packet, from: other, at: 1))
        }
    }

    @Test func aCopyComesWithinTheWindowOfTheFirst() {
        for (delay, isCopy) in [
            (0, true), (1, true), (Self.window - 1, true), (Self.window, true), (Self.window + 1, false), (-1, false),
            (Int64.max, false),
        ] {
            let copies = Copies()
            let packet = IPv6Packet().bytes
            #expect(!copies.isCopy(packet, from: 1, at: 0))
            #expect(copies.isCopy(packet, from: 2, at: delay) == isCopy, "after \(delay) ns")
        }
        // It is not made longer by copies: who sends again and again is seen again.
        let copies = Copies()
        let packet = IPv4Packet().bytes
        #expect(!copies.isCopy(packet, from: 1, at: 0))
        #expect(copies.isCopy(packet, from: 2, at: Self.window))
        #expect(!copies.isCopy(packet, from: 3, at: Self.window + 1))
        #expect(copies.isCopy(packet, from: 1, at: Self.window + 2))
    }

    @Test func whatIsCutOffIsComparedAsFarAsItGoes() {
        let packet = IPv4Packet().bytes
        for length in 0...packet.count {
            let cut = Array(packet[..<length])
            let copies = Copies()
            #expect(!copies.isCopy(cut, from: 1, at: 0))
            #expect(copies.isCopy(cut, from: 2, at: 1) == (length >= 24), "\(length) bytes")
            #expect(copies.isCopy(packet, from: 3, at: 2) == (length >= 36), "\(length) bytes")
        }
    }

    @Test func whatHasNoPortsIsNeverACopy() {
        let copies = Copies()
        for packet in [
            [], [0x45], [UInt8](repeating: 0, count: 60), [UInt8](repeating: 0xff, count: 60),
            IPv4Packet(fragment: 0x0001).bytes, IPv4Packet(ipProtocol: 1).bytes, IPv4Packet(headerWords: 4).bytes,
            IPv4Packet(totalLength: 20).bytes, IPv4Packet(headerWords: 15, totalLength: 30).bytes,
            IPv6Packet(headers: [.fragment(offset: 1)]).bytes,
        ] {
            for interface in 1...3 as ClosedRange<Int32> { #expect(!copies.isCopy(packet, from: interface, at: 0)) }
        }
    }

    /// A table of two: nearly every packet puts another out.
    @Test func nothingIsLostInAFullTable() {
        var random = SplitMix(seed: Seed.value ^ 57)
        var table = PacketCopies<2>(key: .forTests)
        var taken: [[UInt8]: (interface: Int32, time: Int64)] = [:]
        var now: Int64 = 0
        var copies = 0
        for step in 0..<20_000 {
            now += Int64.random(in: 0...Self.window / 4, using: &random)
            let port = UInt16.random(in: 1...5, using: &random)
            let packet = IPv4Packet(payload: TCPHeader(destinationPort: port).bytes).bytes
            let interface = Int32.random(in: 1...3, using: &random)
            let isCopy = table.isCopy(
                packet.span, over: LinkPath(interface: interface), at: Timestamp(nanoseconds: now))
            if isCopy {
                copies += 1
                let first = taken[packet]
                let isOfOne = first.map { $0.interface != interface && now - $0.time <= Self.window } == true
                #expect(isOfOne, "SCANLOGD_TEST_SEED=\(Seed.value), step \(step)")
            } else {
                taken[packet] = (interface, now)
            }
        }
        #expect(copies > 100)
    }

    @Test func aPlaceIsALineOfCache() {
        #expect(MemoryLayout<SightedPacket>.stride == 64)
        var nobody = SightedPacket()
        #expect(unsafe withUnsafeBytes(of: &nobody) { unsafe $0.allSatisfy { $0 == 0 } })
    }
}

/// The packets of the command, in memory that is zero, as it has them.
@safe private final class Copies {
    private let copies: UnsafeMutablePointer<Parameters.Copies>

    init() {
        unsafe copies = zeroMemory(for: Parameters.Copies.self)
        unsafe copies.pointee.start(key: .forTests)
    }

    deinit {
        unsafe copies.deinitialize(count: 1)
        unsafe copies.deallocate()
    }

    func isCopy(_ packet: [UInt8], from interface: Int32, goingOut: Bool = false, at time: Int64) -> Bool {
        var path = LinkPath(interface: interface)
        path.isOutgoing = goingOut
        return unsafe copies.pointee.isCopy(packet.span, over: path, at: Timestamp(nanoseconds: time))
    }
}
