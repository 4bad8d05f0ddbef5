import Testing

@testable import ScanCore

/// TCP headers whose IP header is gone.
struct SegmentHeaderTests {
    private func segment(of header: [UInt8], at offset: Int = 0) -> Result<Segment, PacketFault> {
        do throws(PacketFault) {
            return .success(
                try Segment(
                    tcpHeader: header.span, at: offset, source: address("fd77::1"),
                    destination: address("fd77::2"), typeOfService: 7, timeToLive: 9))
        } catch {
            return .failure(error)
        }
    }

    @Test func theFieldsOfTheIPHeaderAreTheCallers() {
        let expected = Segment(
            source: address("fd77::1"), destination: address("fd77::2"), sourcePort: 40_000,
            destinationPort: 80, flags: .syn, typeOfService: 7, timeToLive: 9)
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
}
