#if Pcap
    import ScanCore
    import Testing

    @testable import Capture

    /// What is said of a file's packets that gave nothing.
    struct LeftOutPacketsTests {
        private typealias P = TestPacket
        private static let ethernet = [UInt8](repeating: 2, count: 12)

        private func said(_ frames: [[UInt8]], whole: UInt32? = nil) throws -> String? {
            let text = CaptureText()
            var bytes = text.header(linkType: 1)
            for frame in frames {
                bytes += text.word(1) + text.word(0) + text.word(UInt32(frame.count))
                bytes += text.word(whole ?? UInt32(frame.count)) + frame
            }
            let line = try replay(bytes).leftOut
            let beginning = "FILE: read: left out, but may hold TCP: "
            #expect(line?.hasPrefix(beginning) != false)
            return line.map { String($0.dropFirst(beginning.count)) }
        }

        private func frame(_ type: Int, _ payload: [UInt8]) -> [UInt8] { Self.ethernet + P.big(type) + payload }

        @Test func whatCanHoldNoTCPIsNotSpokenOf() throws {
            let packet = P.ipv4(P.tcp(flags: 2))
            let broken = frame(0x0800, [0x44] + packet.dropFirst())
            #expect(
                try said([
                    frame(0x0800, packet), frame(0x0806, packet), frame(0x88cc, packet),
                    frame(0x0800, P.ipv4(packet, next: 17)), frame(0x0800, P.ipv4(packet, next: 1)),
                    frame(0x86dd, P.ipv6(packet, next: 58)), broken,
                    frame(0x0026, [0x42, 0x42, 3, 0, 0, 0]), [],
                ]) == nil)
        }

        /// Read, such a packet ended the program: its length and that of its header are more than 16 bits hold.
        @Test(arguments: [0xffd7, 0xffd8, 0xffff])
        func anIPv6PacketOfTheGreatestLengthIsCutShort(length: Int) throws {
            var packet = Array(P.ipv6(P.tcp(flags: 2)).prefix(50))
            packet.replaceSubrange(4..<6, with: P.big(length))
            #expect(try said([frame(0x86dd, packet)]) == "1 cut short")
        }

        @Test func eachReasonIsCounted() throws {
            let packet = P.ipv4(P.tcp(flags: 2))
            let wire = P.labels([0, 0, 0, 0] + Self.ethernet)
            #expect(try said([frame(0x8847, wire)]) == "1 behind MPLS labels without IP")
            #expect(try said([frame(0x8909, [2, 1, 0, 1, 0, 5, 8, 0] + packet)]) == "1 behind unknown TrustSec tags")
            for type in [0x88e5, 0x88e7, 0x8926, 0x893f, 0x9200] {
                let frames = [frame(type, packet), frame(0x8100, P.tag(packet, type: type))]
                #expect(try said(frames) == "2 in other encapsulations")
            }
            #expect(try said([frame(0x8864, P.session(packet, pppProtocol: 0xfd))]) == "1 in other encapsulations")
            for kind in [4, 41, 47, 50] as [UInt8] {
                #expect(
                    try said([frame(0x0800, P.ipv4(packet, next: kind)), frame(0x86dd, P.ipv6(packet, next: kind))])
                        == "2 in tunnels")
            }
            let vxlan: [UInt8] = [0xc0, 0, 0x12, 0xb5, 0, 100, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0]
            #expect(try said([frame(0x0800, P.ipv4(vxlan + Self.ethernet, next: 17))]) == "1 in tunnels")
            #expect(try said([frame(0x86dd, P.ipv6(P.options(vxlan, next: 17), next: 60))]) == "1 in tunnels")
            let syn = frame(0x0800, packet)
            for count in 0..<syn.count { #expect(try said([Array(syn.prefix(count))], whole: 1500) == "1 cut short") }
            #expect(try said([syn], whole: 1500) == nil)
            // Not every file tells that a packet was cut short.
            #expect(try said([Array(syn.prefix(40))]) == "1 cut short")
            // What begins like IP behind labels can be the address of another frame.
            for first in [0x45, 0x64] as [UInt8] {
                let inner = [first, 2, 3, 4, 5, 6] + [UInt8](repeating: 7, count: 60)
                #expect(try said([frame(0x8847, P.labels(inner))]) == "1 behind MPLS labels without IP")
            }
            for header in [[0x06, 0x06, 3], [0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0]] as [[UInt8]] {
                #expect(try said([frame(header.count + packet.count, header + packet)]) == "1 in other encapsulations")
            }
            let all = [frame(0x8847, P.labels([0])), frame(0x88e5, []), frame(0x88e5, [])]
            #expect(
                try said(all + [frame(0x0800, P.ipv4([], next: 47))])
                    == "1 behind MPLS labels without IP, 2 in other encapsulations, 1 in tunnels")
        }

        @Test func fragmentsAreALossOnlyIfTheFirstOfTheirPacketIsMissing() throws {
            let segment = P.tcp(flags: 2) + [UInt8](repeating: 7, count: 44)
            let pieces = [0, 16, 32, 48].map { (start: Int) -> [UInt8] in
                let more: UInt16 = start == 48 ? 0 : 0x2000
                return frame(0x0800, P.ipv4(Array(segment[start..<start + 16]), fragment: UInt16(start / 8) | more))
            }
            #expect(pieces.count == 4)
            #expect(try said(pieces) == nil)
            #expect(try said(pieces.reversed()) == nil)
            #expect(try said(Array(pieces.dropFirst())) == "3 fragments without a beginning")
            let udp = pieces.dropFirst().map { piece in Array(piece[..<23]) + [17] + piece[24...] }
            #expect(try said(udp) == nil)
            let six = [0, 16, 32, 48].map { (start: Int) -> [UInt8] in
                let more = start == 48 ? 0 : 1
                let piece = P.fragment(Array(segment[start..<start + 16]), field: start | more)
                return frame(0x86dd, P.ipv6(piece, next: 44))
            }
            #expect(try said(six) == nil)
            #expect(try said(six.reversed()) == nil)
            #expect(try said(Array(six.dropFirst(2))) == "2 fragments without a beginning")
        }

        /// A chain of headers that goes on beyond the first fragment, and of which the next one is missing.
        @Test func aChainThatLeadsNowhereIsALoss() throws {
            let payload = P.options(P.options(P.tcp(flags: 2), next: 6, units: 4), next: 60, units: 4)
            let pieces = [0..<48, 48..<payload.count].map { (range: Range<Int>) -> [UInt8] in
                let more = range.lowerBound == 0 ? 1 : 0
                let piece = P.fragment(Array(payload[range]), next: 60, field: range.lowerBound | more)
                return frame(0x86dd, P.ipv6(piece, next: 44))
            }
            #expect(try said(pieces) == nil)
            #expect(try said(pieces.reversed()) == nil)
            #expect(try said([pieces[0]]) == "1 fragments without a beginning")
        }
    }
#endif
