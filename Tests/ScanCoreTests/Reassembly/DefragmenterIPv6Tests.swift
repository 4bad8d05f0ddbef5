import Testing

@testable import ScanCore

/// Fragments of IPv6 packets.
struct DefragmenterIPv6Tests {
    /// Extension headers that stand in the part that is cut, of at most 40 bytes.
    static let inner: [[ExtensionHeader]] = [
        [], [.destinationOptions()], [.destinationOptions(length: 4)], [.authentication(length: 3), .routing()],
        [.destinationOptions(), .destinationOptions(), .destinationOptions(), .routing(), .destinationOptions()],
        [.fragment()],
    ]

    @Test(arguments: inner)
    func theLastPieceMissingGivesTheSegment(headers: [ExtensionHeader]) {
        for before in [[], [ExtensionHeader.hopByHop()], [.hopByHop(), .routing(length: 2)]] {
            let packet = DivisibleIPv6Packet(packet: IPv6Packet(headers: before), inner: headers)
            let segment = read(packet.bytes).segment
            #expect(segment?.destinationPort == 80)
            for size in [8, 16, 24, 32] where size < packet.content.count {
                let inOrder = SmallFragmentWatch().read(each: packet.pieces(of: size))
                #expect(inOrder.compactMap(\.segment) == [segment])
                let backwards = SmallFragmentWatch().read(each: packet.pieces(of: size).reversed())
                #expect(backwards.compactMap(\.segment) == [segment])
            }
        }
    }

    @Test(arguments: inner)
    func everyCutIsHarmless(headers: [ExtensionHeader]) {
        let packet = DivisibleIPv6Packet(inner: headers)
        let segment = read(packet.bytes).segment
        let pieces = packet.pieces(of: 16)
        for index in pieces.indices {
            for length in 0..<pieces[index].count {
                var cut = pieces
                cut[index] = [UInt8](pieces[index].prefix(length))
                let watch = SmallFragmentWatch()
                let segments = watch.read(each: cut).compactMap(\.segment)
                #expect(segments == [] || segments == [segment])
                // What was cut may stand in the way of the whole once.
                let later = watch.read(each: pieces + pieces).compactMap(\.segment)
                #expect(Set(later.map { "\($0)" }) == ["\(segment.map { "\($0)" } ?? "")"])
            }
        }
    }

    @Test func serviceAndLifetimeAreThoseOfTheFragmentWithOffset0() {
        for order in orders([0, 1, 2]) {
            let pieces = order.map { index in
                let service = UInt8(16 * index + 3)
                let packet = IPv6Packet(trafficClass: service, hopLimit: UInt8(50 + index))
                return DivisibleIPv6Packet(packet: packet).pieces(of: 8)[index]
            }
            let segment = SmallFragmentWatch().read(each: pieces).last?.segment
            #expect(segment?.typeOfService == 3)
            #expect(segment?.timeToLive == 50)
        }
    }

    @Test func onlyTheFirstFragmentSaysWhatFollows() {
        // RFC 8200, section 4.5: the Next Header of the others is not looked at, so it may say anything.
        for order in orders([0, 1, 2]) {
            let pieces = order.map { index in
                DivisibleIPv6Packet(packet: IPv6Packet(lastNext: index == 0 ? 6 : 59)).pieces(of: 8)[index]
            }
            #expect(SmallFragmentWatch().read(each: pieces).last?.segment == read(IPv6Packet().bytes).segment)
        }
    }

    @Test func anAtomicFragmentIsReadAtOnce() {
        let packet = DivisibleIPv6Packet()
        let watch = SmallFragmentWatch()
        #expect(watch.read(packet.piece(8..<16)) == .kept)
        #expect(watch.read(packet.piece(0..<20, more: false)).segment == read(packet.bytes).segment)
        // It is another packet than the one that is being put together (RFC 6946).
        #expect(watch.read(packet.piece(16..<20)) == .kept)
        #expect(watch.read(packet.piece(0..<8)).segment == read(packet.bytes).segment)
    }

    @Test func moreThan44BytesOfHeadersAreGivenUp() {
        let headers = [ExtensionHeader](repeating: .destinationOptions(length: 1), count: 3)
        let packet = DivisibleIPv6Packet(inner: headers)
        let watch = SmallFragmentWatch()
        let readings = watch.read(each: packet.pieces(of: 8))
        // The third header begins at 32 and says that TCP does at 48, of 64 bytes.
        #expect(readings[0..<4].allSatisfy { $0 == .kept })
        #expect(readings[4] == .fault(.fragment))
        #expect(watch.read(each: packet.pieces(of: 8)).allSatisfy { $0.segment == nil })
    }

    @Test func aLongHeaderIsGivenUpAtOnce() {
        let packet = DivisibleIPv6Packet(inner: [.destinationOptions(length: 255)])
        #expect(SmallFragmentWatch().read(packet.piece(0..<8)) == .fault(.fragment))
        let short = DivisibleIPv6Packet(inner: [.destinationOptions(length: 5)])
        #expect(SmallFragmentWatch().read(short.piece(0..<8)) == .fault(.fragment))
    }

    @Test func anotherProtocolBehindTheHeadersIsNotTCP() {
        let headers: [ExtensionHeader] = [.destinationOptions(), .destinationOptions()]
        let packet = DivisibleIPv6Packet(packet: IPv6Packet(lastNext: 17), inner: headers)
        let watch = SmallFragmentWatch()
        #expect(watch.read(packet.piece(0..<8)) == .kept)
        #expect(watch.read(packet.piece(8..<16)) == .fault(.otherProtocol))
        #expect(watch.read(packet.piece(0..<16)) == .fault(.otherProtocol))  // it says so itself
    }

    @Test func aFragmentInAFragmentIsMalformed() {
        let packet = DivisibleIPv6Packet(inner: [.destinationOptions(), .fragment(offset: 1)])
        let watch = SmallFragmentWatch()
        #expect(watch.read(packet.piece(0..<8)) == .kept)
        #expect(watch.read(packet.piece(8..<16)) == .fault(.malformed))
    }

    @Test(arguments: [Int](1...65) + [127, 128, 129, 0x1000, 0x1fff])
    func onlyTheBeginningIsKept(offset: Int) {
        let header = ExtensionHeader.fragment(offset: UInt16(offset))
        let reading = SmallFragmentWatch().read(IPv6Packet(headers: [header], payload: [1, 2, 3, 4]).bytes)
        #expect(reading == (offset < 8 ? .kept : .fault(.fragment)))
    }

    @Test func whatKernelsDropIsMalformed() {
        let watch = SmallFragmentWatch()
        let empty = IPv6Packet(headers: [.fragment(offset: 1)], payload: [])
        #expect(watch.read(empty.bytes) == .fault(.malformed))
        for length in 1...16 {
            let header = ExtensionHeader.fragment(offset: 1, lowBits: 1)
            let packet = IPv6Packet(headers: [header], payload: [UInt8](repeating: 0, count: length))
            #expect((watch.read(packet.bytes) == .fault(.malformed)) == (length < 8))
        }
        let tooLong = IPv6Packet(headers: [.fragment(offset: 0x1fff)], payload: [UInt8](repeating: 0, count: 8))
        #expect(watch.read(tooLong.bytes) == .fault(.malformed))
        let jumbo = IPv6Packet(payloadLength: 0, headers: [.fragment(offset: 1)])
        #expect(watch.read(jumbo.bytes) == .fault(.malformed))
    }

    @Test func theIdentificationHas32Bits() {
        for bit in 0..<32 {
            let other = DivisibleIPv6Packet(identification: 0xcafe_babe ^ 1 << bit)
            let watch = SmallFragmentWatch()
            let ours = DivisibleIPv6Packet().pieces(of: 8)
            #expect(watch.read(each: [ours[0], other.pieces(of: 8)[1], ours[2]]) == [.kept, .kept, .kept])
        }
    }
}
