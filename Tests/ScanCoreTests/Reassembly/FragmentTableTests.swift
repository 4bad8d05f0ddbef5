import Testing

@testable import ScanCore

/// Where fragmented packets are kept, for how long, and which goes when there are too many.
struct FragmentTableTests {
    private func packet(_ identification: UInt16) -> IPv4Packet { IPv4Packet(identification: identification) }

    @Test func manySourcesAtATimeAreToldApart() {
        let watch = ShippedFragmentWatch()
        let packets = (1...60).map { IPv4Packet(source: Address(ipv4: 0x0a4d_0000 + UInt32($0))) }
        for index in 0..<2 {
            for packet in packets { #expect(watch.read(packet.pieces(of: 8)[index]) == .kept) }
        }
        let segments = packets.map { watch.read($0.pieces(of: 8)[2]).segment }
        #expect(segments == packets.map { read($0.bytes).segment } || watch.evicted > 0)
        #expect(segments.filter { $0 != nil }.count + Int(watch.evicted) >= 60)
        #expect(watch.evicted <= 2, "sets of 4 hold 60 of 256 nearly always")
    }

    @Test func theOldestMakesRoom() {
        let watch = FragmentWatch<4, 4>()
        for number in UInt16(1)...5 { #expect(watch.read(packet(number).piece(0..<8), at: Int64(number)) == .kept) }
        #expect(watch.evicted == 1)
        for number in UInt16(2)...5 { #expect(watch.read(packet(number).piece(8..<16), at: 9) == .kept) }
        for number in UInt16(2)...5 { #expect(watch.read(packet(number).piece(16..<20), at: 9).segment != nil) }
        #expect(watch.evicted == 1)
        #expect(watch.read(packet(1).piece(8..<20), at: 9) == .kept)
    }

    @Test func whatWasToldTakesNoRoom() {
        let watch = FragmentWatch<4, 4>()
        for number in UInt16(1)...3 { #expect(watch.read(packet(number).piece(0..<8), at: Int64(number)) == .kept) }
        for number in UInt16(4)...20 {
            #expect(watch.read(each: packet(number).pieces(of: 8), at: 4).last?.segment != nil)
        }
        #expect(watch.read(packet(21).piece(0..<8), at: 5) == .kept)
        for number in [UInt16(1), 2, 3, 21] { #expect(watch.read(packet(number).piece(8..<20), at: 6).segment != nil) }
        #expect(watch.evicted == 0)
    }

    @Test func whatIsOutOfDateTakesNoRoom() {
        let watch = FragmentWatch<2, 2>()
        #expect(watch.read(packet(1).piece(0..<8), at: 0) == .kept)
        #expect(watch.read(packet(2).piece(0..<8), at: 1) == .kept)
        let later = Parameters.fragmentLifetime + 1
        #expect(watch.read(packet(3).piece(0..<8), at: later) == .kept)
        #expect(watch.evicted == 0)
        #expect(watch.read(packet(2).piece(8..<20), at: later).segment != nil)
    }

    @Test(arguments: [
        (IPv4Packet() as any Fragmentable & Sendable, Int64.seconds(30)), (DivisibleIPv6Packet(), .seconds(60)),
    ])
    func piecesWaitAsLongAsInLinux(packet: any Fragmentable & Sendable, limit: Int64) {
        for (wait, isSeen) in [(limit - 1, true), (limit, true), (limit + 1, false), (-1, false)] {
            let watch = ShippedFragmentWatch()
            #expect(watch.read(packet.piece(0..<8), at: .seconds(100)) == .kept)
            let last = watch.read(packet.piece(8..<20), at: .seconds(100) + wait)
            #expect((last.segment != nil) == isSeen)
            #expect(watch.evicted == 0)
            if isSeen { continue }
            // The late one begins anew.
            #expect(watch.read(packet.piece(0..<8), at: .seconds(100) + wait).segment != nil)
        }
    }

    @Test func laterPiecesDoNotMakeAPacketWaitLonger() {
        let watch = ShippedFragmentWatch()
        #expect(watch.read(packet(1).piece(0..<8), at: 0) == .kept)
        #expect(watch.read(packet(1).piece(8..<16), at: .seconds(29)) == .kept)
        #expect(watch.read(packet(1).piece(16..<20), at: .seconds(31)) == .kept)
    }

    @Test(arguments: orders([0, 1, 2]))
    func aClockThatGoesBackRevivesNothing(order: [Int]) {
        let pieces = order.map { packet(1).pieces(of: 8)[$0] }
        let watch = FragmentWatch<4, 4>()
        #expect(watch.read(packet(2).piece(0..<8), at: .seconds(1)) == .kept)
        #expect(watch.read(pieces[0], at: .seconds(1)) == .kept)
        #expect(watch.read(pieces[1], at: .seconds(60)) == .kept)
        #expect(watch.read(each: [pieces[1], pieces[2]], at: .seconds(2)) == [.kept, .kept])
        #expect(watch.read(pieces[0], at: .seconds(2)).segment != nil)
        #expect(watch.evicted == 0)
    }

    @Test func theEndsOfTimeAreHarmless() {
        let watch = FragmentWatch<4, 2>()
        for time in [Int64.min, .max, 0, .max, .min, -1, 1] {
            for number in UInt16(1)...9 { _ = watch.read(packet(number).piece(0..<8), at: time) }
            #expect(watch.read(each: packet(7).pieces(of: 8), at: time).last?.segment != nil)
        }
    }

    @Test func piecesThatAddNothingTakeNoRoom() {
        let watch = FragmentWatch<1, 1>()
        #expect(watch.read(packet(1).piece(0..<16)) == .kept)
        for number in UInt16(2)...9 {
            var long = packet(number)
            long.payload += [UInt8](repeating: 0, count: 100)
            #expect(watch.read(long.piece(24..<120)) == .fault(.fragment))
            #expect(watch.read(long.piece(8..<15, more: true)) == .fault(.malformed))
        }
        #expect(watch.read(packet(1).piece(16..<20)).segment != nil)
        #expect(watch.evicted == 0)
    }
}
