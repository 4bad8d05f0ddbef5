import Testing

@testable import ScanCore

/// Chains of extension headers that go on beyond the first fragment of their packet.
struct SplitChainsTests {
    /// A chain of destination options, 8 bytes each, before a TCP header, cut into fragments of so many bytes.
    private static func pieces(
        port: UInt16 = 80, headers: Int = 320, of size: Int = 1232, flags: TCPFlags = .syn, hopLimit: UInt8 = 57
    ) -> [[UInt8]] {
        var packet = DivisibleIPv6Packet()
        packet.inner = [ExtensionHeader](repeating: .destinationOptions(), count: headers)
        packet.packet.payload = TCPHeader(destinationPort: port, flags: flags).bytes
        packet.packet.hopLimit = hopLimit
        return packet.pieces(of: size)
    }

    /// The ports that a reader tells of packets, without what joining adds.
    private static func ports(
        _ packets: [[UInt8]], _ reader: ReaderWatch, over path: LinkPath = LinkPath(), at time: Int64 = 0
    ) throws -> [UInt16] {
        try packets.flatMap { try reader.segments(of: $0, over: path, at: time) }.map(\.destinationPort)
    }

    private static func reader() -> ReaderWatch { ReaderWatch(takesCutHeaders: true) }

    @Test(arguments: orders([0, 1, 2]))
    func thePortsAreFoundInWhateverOrderFragmentsCome(order: [Int]) throws {
        let pieces = Self.pieces()
        #expect(pieces.count == 3)
        let reader = Self.reader()
        let segments = try order.flatMap { try reader.segments(of: pieces[$0]) }
        #expect(segments.map(\.destinationPort) == [80])
        #expect(segments.first?.flags == .syn)
        #expect(segments.first?.timeToLive == 57)
    }

    @Test func flagsInAnotherFragmentThanThePortsAreNotKnown() throws {
        let reader = Self.reader()
        let segments = try Self.pieces(headers: 307).flatMap { try reader.segments(of: $0) }
        #expect(segments.map(\.flags) == [nil])
    }

    @Test func aPacketAsLongAsThereCanBeInFragmentsAsLongAsLinuxJoinsIsFollowed() throws {
        let pieces = Self.pieces(headers: 8180, of: 1232)
        #expect(pieces.count == 54)
        for order in [pieces, pieces.reversed()] {
            let reader = Self.reader()
            #expect(try Self.ports(order, reader) == [80])
        }
    }

    /// A host gives up fragments for many reasons; what they lead to must not hide what others lead to.
    @Test func otherFragmentsOfTheSameNameHideNothing() throws {
        let ours = Self.pieces(port: 443)
        let other = Self.pieces(port: 7, headers: 200)
        for decoys in [[other[0]], [other[1]], [other[0], other[1]], [other[1], other[0]], other] {
            for order in orders([0, 1, 2]) {
                let reader = Self.reader()
                let found = try Self.ports(decoys + order.map { ours[$0] }, reader)
                #expect(found.contains(443), "\(decoys.count) decoys, order \(order)")
                let between = Self.reader()
                let mixed = [ours[order[0]]] + decoys + [ours[order[1]]] + decoys + [ours[order[2]]]
                #expect(try Self.ports(mixed, between).contains(443))
            }
        }
    }

    @Test func aPacketMayComeOverSeveralLinks() throws {
        let reader = Self.reader()
        var found: [UInt16] = []
        for (number, piece) in Self.pieces().enumerated() {
            found += try Self.ports([piece], reader, over: LinkPath(interface: Int32(number)))
        }
        #expect(found == [80])
    }

    @Test func theSameAgainIsToldAgainButNotMoreOften() throws {
        let pieces = Self.pieces()
        let reader = Self.reader()
        #expect(try Self.ports([pieces[0], pieces[0], pieces[1], pieces[0], pieces[2]], reader) == [80])
        #expect(try Self.ports([pieces[2]], reader) == [80])
    }

    @Test(arguments: [(Int64.seconds(60), true), (.seconds(60) + 1, false), (-1, false)])
    func placesAreKnownAsLongAsLinuxKeepsFragments(wait: Int64, isSeen: Bool) throws {
        let pieces = Self.pieces(headers: 200)
        let reader = Self.reader()
        #expect(try Self.ports([pieces[0]], reader, at: .seconds(100)) == [])
        #expect(try Self.ports([pieces[1]], reader, at: .seconds(100) + wait) == (isSeen ? [80] : []))
    }

    @Test func theTimeOfAPlaceBeginsWithTheLastFragmentThatMakesItKnown() throws {
        // The host may have dropped the others, as of another VLAN.
        let pieces = Self.pieces(headers: 200)
        let reader = Self.reader()
        for time in [Int64.seconds(1), .seconds(60)] {
            #expect(try Self.ports([pieces[0]], reader, at: time) == [])
        }
        #expect(try Self.ports([pieces[1]], reader, at: .seconds(119)) == [80])
    }

    @Test func somePlacesAreKnownAndTheOldestMakesRoom() throws {
        func piece(_ number: UInt32, _ index: Int) -> [UInt8] {
            var packet = DivisibleIPv6Packet()
            packet.identification = number
            packet.inner = [ExtensionHeader](repeating: .destinationOptions(), count: 200)
            return packet.pieces(of: 1232)[index]
        }
        let reader = Self.reader()
        for number in UInt32(1)...2049 { #expect(try Self.ports([piece(number, 0)], reader) == []) }
        #expect(reader.fragmentedPacketsEvicted == 1)
        #expect(try Self.ports([piece(1, 1)], reader) == [])
        #expect(try (UInt32(2)...2049).flatMap { try Self.ports([piece($0, 1)], reader) }.count == 2048)
    }

    /// First fragments of the name of ours that say where in the second one TCP begins, each another place.
    private static func decoys(_ count: Int) -> [[UInt8]] {
        (0..<count).map { number in
            var packet = DivisibleIPv6Packet()
            packet.inner = [ExtensionHeader](repeating: .destinationOptions(), count: 153)
            packet.inner.append(.destinationOptions(length: UInt8(number)))
            return packet.pieces(of: 1232)[0]
        }
    }

    @Test(arguments: [(63, true), (64, false)])
    func aFragmentIsFollowedFrom64PlacesOfItsLink(count: Int, isSeen: Bool) throws {
        let ours = Self.pieces(port: 443, headers: 300)
        let reader = Self.reader()
        #expect(try Self.ports([ours[0]] + Self.decoys(count), reader) == [])
        #expect(reader.fragmentedPacketsEvicted == 0)
        let found = try Self.ports([ours[1]], reader)
        #expect(found.count == 64)
        #expect(found.contains(443) == isSeen)
        #expect(reader.fragmentedPacketsEvicted == (isSeen ? 0 : 1))
    }

    @Test func placesOfOtherLinksAreNotCountedAmongThose() throws {
        let ours = Self.pieces(port: 443, headers: 300)
        var other = LinkPath()
        other.vlans = 5
        let reader = Self.reader()
        #expect(try Self.ports([ours[0]], reader) == [])
        #expect(try Self.ports(Self.decoys(150), reader, over: other) == [])
        #expect(try Self.ports([ours[1]], reader).contains(443))
    }

    @Test func placesOutsideTheFragmentAreNotCountedAmongThose() throws {
        let ours = Self.pieces(port: 443)
        let reader = Self.reader()
        _ = try Self.ports([ours[0], ours[1]] + Self.decoys(150), reader)
        #expect(try Self.ports([ours[2]], reader).contains(443))
    }

    /// Linux joins these, whatever the size of the fragments.
    @Test(arguments: [8, 16, 1232])
    func aChainMayBeInAnyNumberOfFragmentsInAnyOrder(size: Int) throws {
        let pieces = Self.pieces(headers: 400, of: size)
        for order in [pieces, pieces.reversed(), Array(pieces[1...] + pieces[..<1])] {
            let reader = Self.reader()
            #expect(try Self.ports(order, reader) == [80])
        }
    }

    /// Fragments of a name that nothing leads to yet.
    private static func orphans(_ count: UInt32, of size: Int) -> [[UInt8]] {
        (0..<count).map { number in
            var packet = DivisibleIPv6Packet()
            packet.identification = number
            packet.packet.payload = [UInt8](repeating: 0, count: size + 8)
            return packet.piece(8..<size + 8, more: false)
        }
    }

    @Test(arguments: [(UInt32(2048), 8, UInt64(0)), (2100, 8, 52), (576, 4096, 0), (636, 4096, 60)])
    func fragmentsThatMakeRoomForOthersAreCounted(count: UInt32, size: Int, evicted: UInt64) throws {
        let reader = Self.reader()
        for piece in Self.orphans(count, of: size) { _ = try reader.segments(of: piece) }
        #expect(reader.fragmentedPacketsEvicted == evicted)
        for piece in Self.orphans(count, of: size) { _ = try reader.segments(of: piece, at: .seconds(61)) }
        #expect(reader.fragmentedPacketsEvicted == evicted * 2, "those that had waited in vain")
    }

    /// 64 fragments of one name, full of headers, are gone through again for each new place: that must come to an end.
    @Test func followingTakesABoundedTimeOfAllPacketsTogether() throws {
        var packet = DivisibleIPv6Packet()
        packet.inner = [ExtensionHeader](repeating: .destinationOptions(), count: 600)
        func first(_ number: Int) -> [UInt8] {  // each leads to another place in what comes behind it
            packet.piece(0..<1232 + 8 * number, more: true)
        }
        let reader = Self.reader()
        let rest = packet.piece(1232..<packet.content.count, more: false)
        for _ in 0..<64 { _ = try reader.segments(of: rest) }
        var told = 0
        for round in 0..<20 {
            for number in 0..<100 { told += try reader.segments(of: first(number), at: Int64(round)).count }
        }
        let passed = 340
        #expect(told > 1000 && told <= ChainWork.most / passed + 2000 * (ChainWork.least / passed + 1))
        #expect(reader.fragmentedPacketsEvicted > 0)
        // A packet that has its name for itself is followed all the same, and others again after a while.
        var other = DivisibleIPv6Packet()
        other.identification = 1
        other.inner = [ExtensionHeader](repeating: .destinationOptions(), count: 200)
        #expect(try Self.ports(other.pieces(of: 1232), reader, at: 20) == [80])
        #expect(try reader.segments(of: first(150), at: .seconds(1)).count == 64)
    }
}
