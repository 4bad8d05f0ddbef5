import Testing

@testable import ScanCore

/// The reader of all packets.
struct ProbeReaderTests {
    @Test func aReaderSaysOfOtherPacketsWhatTheParserSays() {
        let reader = ReaderWatch()
        let packets = [
            IPv4Packet().bytes, IPv6Packet().bytes, IPv4Packet(ipProtocol: 17).bytes, IPv4Packet(version: 5).bytes,
            [UInt8](IPv4Packet().bytes.dropLast()),
        ]
        for packet in packets {
            let result: Result<[Probe], PacketFault>
            do throws(PacketFault) {
                result = .success(try reader.segments(of: packet))
            } catch {
                result = .failure(error)
            }
            #expect(result == read(packet).map { [$0] })
        }
    }

    @Test func theFirstFragmentTellsThePortsAndTheOneThatMakesTheHeaderWholeTheFlags() throws {
        for packet in [IPv4Packet(), DivisibleIPv6Packet()] as [any Fragmentable] {
            let reader = ReaderWatch()
            let whole = try #require(read(packet.bytes).segment)
            var ports = whole
            ports.transport = .tcp(nil)
            let told = try packet.pieces(of: 8).map { piece in try reader.segments(of: piece) }
            #expect(told == [[ports], [], [whole]])
            #expect(reader.fragmentsKept == 2)
            #expect(try packet.pieces(of: 16).map { piece in try reader.segments(of: piece) }.first == [whole])
        }
    }

    @Test func whatHadToMakeRoomIsCounted() throws {
        let reader = ReaderWatch()
        for number in UInt16(0)..<1024 {
            let piece = IPv4Packet(identification: number).piece(0..<8)
            #expect(try reader.segments(of: piece, at: Int64(number)).count == 1)
        }
        #expect((1024 - 256...1024 - 200).contains(reader.fragmentedPacketsEvicted))
        #expect(reader.fragmentsKept == 1024)
    }
}
