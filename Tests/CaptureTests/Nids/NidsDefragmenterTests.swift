#if Nids
    import ScanCore
    import System
    import Testing

    @testable import Capture

    /// A fragment of a packet from 10.0.0.1: some of its bytes, and whether more follow.
    private func fragment(
        _ part: ArraySlice<UInt8>, more: Bool, identification: UInt8, to last: UInt8 = 2, padding: Int = 0
    ) -> [UInt8] {
        let place = UInt8(part.startIndex / 8)
        let header: [UInt8] = [
            0x45, 0, 0, UInt8(20 + part.count), 0, identification, more ? 0x20 : 0, place, 64, 6, 0, 0,
        ]
        return header + [10, 0, 0, 1, 10, 0, 0, last] + Array(part) + [UInt8](repeating: 0xff, count: padding)
    }

    private func tcp(to port: UInt8) -> [UInt8] {
        [0x9c, 0x40, 0, port] + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, 2, 4, 0] + [0, 0, 0, 0]
    }

    /// One test for all, since libnids has one state for the process.
    struct NidsDefragmenterTests {
        private static func pieces(
            to port: UInt8, of size: Int, destination: UInt8 = 2, padding: Int = 0
        ) -> [[UInt8]] {
            let header = tcp(to: port)
            return stride(from: 0, to: header.count, by: size).map { start in
                let end = min(start + size, header.count)
                return fragment(
                    header[start..<end], more: end < header.count, identification: port, to: destination,
                    padding: padding)
            }
        }

        private static func join(_ pieces: [[UInt8]], _ nids: inout NidsDefragmenter, at seconds: Int64) throws
            -> Probe?
        {
            var joined: Probe?
            for piece in pieces {
                #expect(try NidsDefragmenter.isFragment(piece.span))
                #expect(joined == nil)
                let outcome = try nids.join(piece.span, at: Timestamp(nanoseconds: seconds * 1_000_000_000))
                if case .probe(let segment) = outcome { joined = segment }
            }
            return joined
        }

        @Test func fragmentsGiveTheSegmentWithTheFlagsOfTheWhole() throws {
            var nids = try NidsDefragmenter(try PcapLibrary())
            for (port, size) in [(21, 8), (22, 16)] as [(UInt8, Int)] {
                for padding in [0, 26] {
                    let pieces = Self.pieces(to: port, of: size, padding: padding)
                    let segment = try Self.join(pieces, &nids, at: 1)
                    #expect(segment?.destinationPort == UInt16(port))
                    #expect(segment?.flags == .syn)
                    #expect(segment?.source == Address(ipv4: 0x0a00_0001))
                    let backwards = try Self.join(pieces.reversed(), &nids, at: 1)
                    #expect(backwards == segment)
                }
            }
            #expect(throws: PacketFault.truncated) {
                try nids.join(Array(Self.pieces(to: 23, of: 8)[0].dropLast()).span, at: Timestamp(nanoseconds: 0))
            }
            try boundDestinations(&nids)
        }

        /// libnids has no bound of its own on what it keeps.
        private func boundDestinations(_ nids: inout NidsDefragmenter) throws {
            for destination in 100..<115 as Range<UInt8> {
                let first = Self.pieces(to: 1, of: 8, destination: destination)[0]
                guard case .kept = try nids.join(first.span, at: Timestamp(nanoseconds: 1_000_000_000)) else {
                    Issue.record("a fragment for destination \(destination) is not kept")
                    return
                }
            }
            let another = Self.pieces(to: 1, of: 8, destination: 200)[0]
            guard case .refused = try nids.join(another.span, at: Timestamp(nanoseconds: 1_000_000_000)) else {
                Issue.record("a fragment for one destination more is not refused")
                return
            }
            #expect(try Self.join(Self.pieces(to: 9, of: 8), &nids, at: 1) != nil)
            #expect(try Self.join(Self.pieces(to: 9, of: 8, destination: 200), &nids, at: 42) != nil)
        }
    }
#endif
