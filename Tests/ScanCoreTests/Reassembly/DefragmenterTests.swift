import Testing

@testable import ScanCore

/// Fragments of IPv4 packets.
struct DefragmenterTests {
    static let whole = IPv4Packet()
    static var expected: Probe? { read(whole.bytes).segment }

    @Test(arguments: [8, 16])
    func theLastPieceMissingGivesTheSegment(size: Int) {
        for order in orders(Self.whole.pieces(of: size)) {
            let readings = SmallFragmentWatch().read(each: order)
            #expect(readings.dropLast().allSatisfy { $0 == .kept })
            #expect(readings.last?.segment == Self.expected)
        }
        #expect(Self.expected?.destinationPort == 80)
    }

    @Test func aFirstFragmentThatHoldsTheHeaderGivesTheSegmentAtOnce() {
        var long = Self.whole
        long.payload += [UInt8](repeating: 0xee, count: 20)
        let readings = SmallFragmentWatch().read(each: long.pieces(of: 24))
        #expect(readings.first?.segment == Self.expected)
        #expect(readings.dropFirst() == [.fault(.fragment)])
    }

    @Test func optionsOfTheIPHeaderAreNoneOfTheContent() {
        var packet = Self.whole
        packet.options = [UInt8](repeating: 1, count: 40)
        let readings = SmallFragmentWatch().read(each: packet.pieces(of: 8))
        #expect(readings == [.kept, .kept, .segment(read(packet.bytes).segment ?? segment())])
    }

    @Test func serviceAndLifetimeAreThoseOfTheFragmentWithOffset0() {
        for order in orders([0, 1, 2]) {
            let pieces = order.map { index in
                var packet = Self.whole
                packet.typeOfService = UInt8(16 * index)
                packet.timeToLive = UInt8(50 + index)
                return packet.pieces(of: 8)[index]
            }
            let segment = SmallFragmentWatch().read(each: pieces).last?.segment
            #expect(segment?.typeOfService == 0)
            #expect(segment?.timeToLive == 50)
        }
    }

    @Test func paddingOfTheLinkIsNoContent() {
        var packet = Self.whole
        packet.padding = [UInt8](repeating: 0xff, count: 18)
        for order in orders(packet.pieces(of: 8)) {
            #expect(SmallFragmentWatch().read(each: order).last?.segment == Self.expected)
        }
    }

    @Test func duplicatesChangeNothing() {
        let pieces = Self.whole.pieces(of: 8)
        for order in orders([pieces[0], pieces[0], pieces[1], pieces[2]]) {
            let watch = SmallFragmentWatch()
            let readings = watch.read(each: order)
            #expect(readings.compactMap(\.segment) == [Self.expected])
            #expect(readings.filter { $0 == .kept }.count == 3)
        }
    }

    @Test func theWholePacketAgainIsAnother() {
        // As it is for the host, which is why every backend tells it.
        for order in orders(Self.whole.pieces(of: 8)) {
            let watch = SmallFragmentWatch()
            for _ in 0..<3 { #expect(watch.read(each: order).compactMap(\.segment) == [Self.expected]) }
            #expect(watch.evicted == 0)
        }
    }

    @Test func anOverlapChangesNeitherPortsNorFlags() {
        var other = Self.whole
        other.payload = TCPHeader(sourcePort: 1, destinationPort: 2, flags: .fin).bytes
        for overlap in [other.piece(0..<8), other.piece(8..<16), other.piece(0..<16), other.piece(8..<20)] {
            let pieces = Self.whole.pieces(of: 8)
            let readings = SmallFragmentWatch().read(each: [pieces[0], pieces[1], overlap, pieces[2]])
            let segments = readings.compactMap(\.segment)
            #expect(segments.count == 1)
            #expect(segments.first?.destinationPort == 80)
            #expect(segments.first?.flags == .syn)
        }
    }

    @Test func anOverlapThatBringsMoreEndsThePacket() {
        // Linux drops what it has then. What comes after it must not be put to a bait from before.
        var bait = Self.whole
        bait.payload = TCPHeader(destinationPort: 443, flags: .ack).bytes
        for size in [8, 16] {
            let watch = SmallFragmentWatch()
            #expect(watch.read(bait.piece(8..<16)) == .kept)
            #expect(watch.read(bait.piece(0..<16)) == .kept)
            #expect(watch.read(each: Self.whole.pieces(of: size)).compactMap(\.segment) == [Self.expected])
        }
    }

    @Test func fragmentsWithAWrongChecksumAreAnotherPackets() {
        // The host drops them, so they must not come first.
        var bait = Self.whole
        bait.payload = TCPHeader(destinationPort: 443, flags: .ack).bytes
        bait.checksum = 0xbad0
        let (ours, theirs) = (Self.whole.pieces(of: 8), bait.pieces(of: 8))
        for options in [[], [UInt8](repeating: 1, count: 40)] {
            bait.options = options
            let watch = SmallFragmentWatch()
            #expect(watch.read(each: [theirs[0], ours[0], theirs[1], ours[1]]).allSatisfy { $0 == .kept })
            #expect(watch.read(ours[2]).segment == Self.expected)
            #expect(watch.read(theirs[2]).segment == read(bait.bytes).segment)
        }
    }

    @Test func whatCameFirstCounts() {
        var other = Self.whole
        other.payload = TCPHeader(flags: .fin).bytes
        let pieces = Self.whole.pieces(of: 8)
        let forged = other.pieces(of: 8)
        let early = SmallFragmentWatch().read(each: [forged[1], pieces[0], pieces[1], pieces[2]])
        #expect(early.last?.segment?.flags == .fin)
        let late = SmallFragmentWatch().read(each: [pieces[1], pieces[0], forged[1], pieces[2]])
        #expect(late.last?.segment?.flags == .syn)
    }

    @Test func piecesOfDifferentPacketsAreNotMixed() {
        let variants: [(inout IPv4Packet) -> Void] = [
            { $0.source = address("10.77.0.9") }, { $0.destination = address("10.77.0.9") },
            { $0.identification = 1 },
        ]
        for vary in variants {
            var other = Self.whole
            vary(&other)
            let (ours, theirs) = (Self.whole.pieces(of: 8), other.pieces(of: 8))
            let watch = SmallFragmentWatch()
            #expect(watch.read(each: [ours[0], theirs[1], ours[2]]) == [.kept, .kept, .kept])
            #expect(watch.read(ours[1]).segment == Self.expected)
            #expect(watch.read(each: [theirs[0], theirs[2]]).last?.segment == read(other.bytes).segment)
        }
    }

    @Test(arguments: 0..<6)
    func aScanWhosePacketsAllHaveOneIdentificationIsSeen(order: Int) {
        let watch = SmallFragmentWatch()
        for port in UInt16(1)...50 {
            var packet = Self.whole
            packet.payload = TCPHeader(destinationPort: port).bytes
            let readings = watch.read(each: orders(packet.pieces(of: 8))[order])
            #expect(readings.compactMap(\.segment) == [read(packet.bytes).segment])
        }
    }

    @Test(arguments: 0...60)
    func aPieceCutOffIsNoneOrLess(length: Int) {
        for size in [8, 16] {
            for index in 0..<2 {
                var pieces = Self.whole.pieces(of: size)
                pieces[index] = [UInt8](pieces[index].prefix(length))
                let segments = SmallFragmentWatch().read(each: pieces).compactMap(\.segment)
                #expect(segments == [] || segments == [Self.expected])
            }
        }
    }

    @Test func aPieceThatTheCaptureCutOffCountsAsFarAsItGoes() {
        var long = Self.whole
        long.payload += [UInt8](repeating: 0xee, count: 1000)
        let watch = SmallFragmentWatch()
        #expect(watch.read(long.piece(0..<8)) == .kept)
        #expect(watch.read(long.piece(8..<1000).prefix(20)) == .fault(.truncated))
        #expect(watch.read(long.piece(8..<1000).prefix(31)) == .kept)
        #expect(watch.read(long.piece(8..<1000).prefix(32)).segment == Self.expected)
    }
}

/// What kernels drop.
struct MalformedFragmentTests {
    private let whole = IPv4Packet(payload: TCPHeader().bytes + [UInt8](repeating: 0xee, count: 100))

    @Test(arguments: 0..<8)
    func aFragmentWithoutBytesIsMalformed(index: Int) {
        for more in [true, false] {
            let start = index * 8
            if start == 0 && !more { continue }  // no fragment
            #expect(SmallFragmentWatch().read(whole.piece(start..<start, more: more)) == .fault(.malformed))
        }
    }

    @Test(arguments: 1...32)
    func ofAFragmentThatOthersFollowLinuxTakesAMultipleOf8(length: Int) throws {
        let piece = whole.piece(8..<8 + length, more: true)
        #expect((SmallFragmentWatch().read(piece) == .fault(.malformed)) == (length < 8))
        if length >= 8 {
            #expect(try Fragment(packet: piece.span, over: LinkPath()).data.count == length & ~7)
        }
        #expect(SmallFragmentWatch().read(whole.piece(8..<8 + length, more: false)) == .kept)
    }

    @Test(arguments: 1...7)
    func aTinyFirstFragmentIsMalformed(length: Int) {
        #expect(SmallFragmentWatch().read(whole.piece(0..<length, more: true)) == .fault(.malformed))
    }

    @Test(arguments: 1...20)
    func noPacketIsLongerThan65535Bytes(length: Int) {
        var last = IPv4Packet(fragment: 0x1fff)
        last.payload = [UInt8](repeating: 0, count: length)
        let expected: PacketFault = length > 7 ? .malformed : .fragment
        #expect(SmallFragmentWatch().read(last.bytes) == .fault(expected))
    }

    @Test func aLengthShorterThanTheHeaderIsMalformed() {
        for length in UInt16(0)...20 {
            for fragment in [UInt16(0x2001), 0x0001, 0x2000] where fragment != 0x2000 || length > 0 {
                let packet = IPv4Packet(totalLength: length, fragment: fragment)
                #expect(SmallFragmentWatch().read(packet.bytes) == .fault(.malformed))
            }
        }
    }

    @Test(arguments: [UInt16](0...65) + [127, 128, 129, 0x1000, 0x1fff])
    func onlyTheBeginningIsKept(offset: UInt16) {
        let packet = IPv4Packet(fragment: offset, payload: [0, 0, 0, 0])
        switch offset {
        case 0: #expect(SmallFragmentWatch().read(packet.bytes) == .fault(.truncated))
        case 1, 2: #expect(SmallFragmentWatch().read(packet.bytes) == .kept)
        default: #expect(SmallFragmentWatch().read(packet.bytes) == .fault(.fragment))
        }
    }

    @Test func whatIsNoFragmentIsNotKept() {
        // Never asked for by `ProbeReader`, but it must not trap.
        let watch = SmallFragmentWatch()
        for packet in SegmentTruncationTests.packets {
            for length in 0...packet.count {
                let reading = watch.take([UInt8](packet.prefix(length)))
                #expect(reading.segment == nil || reading.segment == read(packet).segment)
            }
        }
    }
}
