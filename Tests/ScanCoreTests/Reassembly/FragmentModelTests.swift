import Testing

@testable import ScanCore

/// Random packets in random fragments.
struct FragmentModelTests {
    @Test func anyFragmentsGiveWhatTheModelSays() throws {
        var random = SplitMix(seed: Seed.value ^ 7)
        for _ in 0..<3000 {
            let packet = Self.packet(using: &random)
            let expected = try #require(read(packet.bytes).segment)
            let ranges = Self.ranges(of: packet, using: &random)
            var model = FragmentModel(
                isIPv4: expected.source.isIPv4, headerEnd: packet.headerEnd, segment: expected)
            let watch = SmallFragmentWatch()
            for range in ranges { #expect(watch.read(packet.piece(range)) == model.take(range), "\(ranges)") }
        }
    }

    @Test func fragmentsThatDoNotOverlapGiveTheSegmentOnce() throws {
        var random = SplitMix(seed: Seed.value ^ 6)
        for _ in 0..<1000 {
            let packet = Self.packet(using: &random)
            let expected = try #require(read(packet.bytes).segment)
            let pieces = Self.division(of: packet, using: &random).shuffled(using: &random).map { packet.piece($0) }
            #expect(SmallFragmentWatch().read(each: pieces).compactMap(\.segment) == [expected], "\(pieces)")
        }
    }

    @Test func manyPacketsAtATimeGiveTheirSegmentsOnce() {
        var random = SplitMix(seed: Seed.value ^ 8)
        for _ in 0..<100 {
            let watch = FragmentWatch<64, 64>()  // one set, so that none makes room for another
            var all: [[UInt8]] = []
            var expected: [String] = []
            for number in UInt32(0)..<40 {
                var packet = IPv4Packet(timeToLive: UInt8(number), source: Address(ipv4: number % 7))
                packet.identification = UInt16(number)
                packet.payload = TCPHeader(destinationPort: UInt16(number)).bytes
                expected.append("\(read(packet.bytes).segment ?? segment())")
                let size = Bool.random(using: &random) ? 8 : 16
                all += packet.pieces(of: size)
            }
            let segments = watch.read(each: all.shuffled(using: &random)).compactMap(\.segment)
            #expect(segments.map { "\($0)" }.sorted() == expected.sorted())
            #expect(watch.evicted == 0)
        }
    }

    @Test func damagedFragmentsNeverTrap() {
        var random = SplitMix(seed: Seed.value ^ 9)
        let watch = FragmentWatch<8, 2>()
        for _ in 0..<5000 {
            let packet = Self.packet(using: &random)
            for var piece in Self.ranges(of: packet, using: &random).map({ packet.piece($0) }) {
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    let index = Int.random(in: 0..<piece.count, using: &random)
                    piece[index] = UInt8.random(in: 0...255, using: &random)
                }
                let length = Int.random(in: piece.count / 2...piece.count, using: &random)
                _ = watch.read(piece.prefix(length), at: Int64.random(in: 0...2, using: &random) * .seconds(29))
                _ = watch.take(piece)
            }
        }
    }

    private static func packet(using random: inout SplitMix) -> any Fragmentable {
        let header = TCPHeader(
            sourcePort: UInt16(truncatingIfNeeded: random.next()),
            destinationPort: UInt16(truncatingIfNeeded: random.next()),
            flags: TCPFlags(rawValue: UInt8(truncatingIfNeeded: random.next())))
        let payload = header.bytes + [UInt8](repeating: 0xee, count: Int.random(in: 0...100, using: &random))
        if Bool.random(using: &random) {
            let options = [UInt8](repeating: 1, count: 4 * Int.random(in: 0...10, using: &random))
            return IPv4Packet(options: options, payload: payload)
        }
        let before = [[], [ExtensionHeader.hopByHop()], [.routing(), .destinationOptions(length: 2)]]
        return DivisibleIPv6Packet(
            packet: IPv6Packet(headers: before.randomElement(using: &random) ?? [], payload: payload),
            inner: DefragmenterIPv6Tests.inner.randomElement(using: &random) ?? [])
    }

    /// All of a packet, cut anywhere, in order.
    private static func division(of packet: any Fragmentable, using random: inout SplitMix) -> [Range<Int>] {
        let count = packet.content.count
        var ranges: [Range<Int>] = []
        while case let start = ranges.last?.upperBound ?? 0, start < count {
            let end = start + 8 * Int.random(in: 1...3, using: &random)
            if start == 0 && end >= count { continue }  // not a fragment
            ranges.append(start..<min(end, count))
        }
        return ranges
    }

    /// The same, with some of it twice, and differently cut, in any order.
    private static func ranges(of packet: any Fragmentable, using random: inout SplitMix) -> [Range<Int>] {
        let count = packet.content.count
        var ranges = division(of: packet, using: &random)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let start = Int.random(in: 0..<(count + 7) / 8, using: &random) * 8
            let end = min(start + 8 * Int.random(in: 1...2, using: &random), count)
            if start > 0 || end < count { ranges.append(start..<end) }
        }
        return ranges.shuffled(using: &random)
    }
}
