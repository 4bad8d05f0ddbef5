import Testing

@testable import ScanCore

/// TCP headers whose IP header is gone.
struct SegmentHeaderTests {
    private func segment(of header: [UInt8], at offset: Int = 0) -> Result<Probe, PacketFault> {
        do throws(PacketFault) {
            return .success(
                try Probe(
                    tcpHeader: header.span, at: offset, source: address("fd77::1"),
                    destination: address("fd77::2"), typeOfService: 7, timeToLive: 9))
        } catch {
            return .failure(error)
        }
    }

    @Test func theFieldsOfTheIPHeaderAreTheCallers() {
        let expected = Probe(
            source: address("fd77::1"), destination: address("fd77::2"), sourcePort: 40_000,
            destinationPort: 80, transport: .tcp(.syn), typeOfService: 7, timeToLive: 9)
        #expect(segment(of: TCPHeader().bytes) == .success(expected))
    }

    @Test(arguments: 0...19)
    func aShorterHeaderIsTruncated(length: Int) {
        #expect(segment(of: [UInt8](TCPHeader().bytes.prefix(length))) == .failure(.truncated))
    }

    @Test(arguments: 0...5)
    func theHeaderMayBeginAnywhere(offset: Int) {
        let header = [UInt8](repeating: 0xff, count: offset) + TCPHeader().bytes
        #expect(segment(of: header, at: offset).segment?.destinationPort == 80)
        #expect(segment(of: header, at: offset + 1).fault == .truncated)
    }

    @Test func anOffsetPastTheEndIsTruncated() {
        #expect(segment(of: TCPHeader().bytes, at: 21) == .failure(.truncated))
        #expect(segment(of: TCPHeader().bytes, at: 20_000) == .failure(.truncated))
    }

    /// No host answers it, whatever its flags; one that is longer than its packet is for the host to judge.
    @Test(arguments: UInt8(0)...15)
    func aHeaderThatSaysItIsShorterThanAnyIsMalformed(words: UInt8) throws {
        let header = TCPHeader(words: words).bytes
        let expected: PacketFault? = words < 5 ? .malformed : nil
        #expect(segment(of: header).fault == expected)
        #expect(read(IPv4Packet(payload: header).bytes).fault == expected)
        #expect(read(IPv6Packet(payload: header).bytes).fault == expected)
        #expect(read(IPv6Packet(headers: [.destinationOptions()], payload: header).bytes).fault == expected)
    }

    /// In fragments of 8 bytes it is the second one that says so, in those of 16 the first.
    @Test(arguments: UInt8(0)...15)
    func fragmentsOfSuchAHeaderGiveNothingThatHoldsItsLength(words: UInt8) throws {
        let payload = TCPHeader(words: words).bytes + [UInt8](repeating: 0xee, count: 20)
        let divisible = DivisibleIPv6Packet(packet: IPv6Packet(payload: payload))
        for packet in [IPv4Packet(payload: payload), divisible] as [any Fragmentable] {
            let whole = try fragments(packet.pieces(of: 24), takesCutHeaders: false)
            #expect(whole == (words < 5 ? [] : [.syn]))
            let halves = try fragments(packet.pieces(of: 16), takesCutHeaders: false)
            #expect(halves == (words < 5 ? [] : [.syn]))
            let eights = try fragments(packet.pieces(of: 8), takesCutHeaders: false)
            #expect(eights == (words < 5 ? [nil] : [nil, .syn]))
        }
    }

    @Test func aPacketThatWasCutBehindTheFlagsOfSuchAHeaderIsNoAttempt() throws {
        for words in UInt8(0)...15 {
            let packet = Array(IPv4Packet(payload: TCPHeader(words: words).bytes).bytes.prefix(34))
            #expect(try fragments([packet], takesCutHeaders: true) == (words < 5 ? [] : [.syn]))
        }
    }

    /// The chain of headers goes on in the second fragment, which holds the TCP header too.
    @Test func whereHeadersLeadToSuchAHeaderThereIsNoSegment() throws {
        for words in UInt8(0)...15 {
            var packet = DivisibleIPv6Packet()
            packet.inner = [ExtensionHeader](repeating: .destinationOptions(), count: 20)
            packet.packet.payload = TCPHeader(words: words).bytes
            #expect(try fragments(packet.pieces(of: 128), takesCutHeaders: true) == (words < 5 ? [] : [.syn]))
        }
    }

    /// The flags of the segments that a reader finds in packets, those of no use left out.
    private func fragments(_ packets: [[UInt8]], takesCutHeaders: Bool) throws -> [TCPFlags?] {
        let reader = ReaderWatch(takesCutHeaders: takesCutHeaders)
        return packets.flatMap { packet in
            do throws(PacketFault) {
                return try reader.segments(of: packet).map(\.flags)
            } catch {
                return []
            }
        }
    }
}
