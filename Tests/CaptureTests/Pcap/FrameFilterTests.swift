#if Pcap
    import ScanCore
    import Testing

    @testable import Capture

    /// Expressions, asked about frames of files.
    struct FrameFilterTests {
        private static let packets = (1...3).map { TestPacket.ipv4(TestPacket.tcp(flags: 2, port: UInt8($0))) }

        /// Frames of a link type with one packet each, plain and behind all that is taken off.
        private static func frames(_ type: UInt32, _ packet: [UInt8]) -> [[UInt8]] {
            typealias P = TestPacket
            let ethernet = [UInt8](repeating: 2, count: 12)
            let inner: [[UInt8]] = [
                [8, 0] + packet, [0x81, 0] + P.tag(packet, type: 0x0800),
                [0x88, 0xa8] + P.tag(P.tag(packet, type: 0x0800), type: 0x8100),
                [0x88, 0x47] + P.labels(packet, count: 2),
                [0x89, 9] + P.securityTag(packet, type: 0x0800), [0x88, 0x64] + P.session(packet),
                [0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + packet,
            ]
            let cooked: [UInt8] = [0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0]
            let cooked2: [UInt8] = [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0]
            let families: [[UInt8]] = [[2, 0, 0, 0], [0, 0, 0, 2]]
            let pointToPoint: [[UInt8]] = [[0xff, 3, 0, 0x21], [0, 0x21], [0x21], [0xff, 3, 0x21]]
            switch type {
            case 1: return inner.map { ethernet + $0 }
            case 113: return inner.map { cooked + $0 }
            case 276: return inner.map { Array($0.prefix(2)) + cooked2 + $0.dropFirst(2) }
            case 0: return families.map { $0 + packet }
            case 108: return [families[1] + packet]
            case 9: return pointToPoint.map { $0 + packet } + [[2, 0x81] + P.labels(packet)]
            case 51: return [P.session(packet), [0x11, 0, 0, 1, 0, 50, 0x21] + packet]
            default: return [packet]
            }
        }

        @Test(arguments: [0, 1, 9, 12, 51, 101, 108, 113, 276] as [UInt32])
        func anExpressionIsAskedAboutThePacketWhateverStandsBeforeIt(type: UInt32) throws {
            let text = CaptureText()
            var bytes = text.header(linkType: type)
            let frames = Self.packets.map { Self.frames(type, $0) }
            for frame in frames.flatMap({ $0 }) { bytes += text.record(frame, seconds: 1) }
            let count = frames[0].count
            let all = (1...3).flatMap { [UInt16](repeating: $0, count: count) }
            #expect(try replay(bytes).ports == all)
            for (expression, expected) in [
                ("tcp", [1, 2, 3]), ("dst port 2", [2]), ("not dst port 2", [1, 3]), ("udp", []), ("ip6", []),
                ("src host 10.77.0.1 and dst port 3", [3]), ("greater 20", [1, 2, 3]), ("tcp[13] = 2", [1, 2, 3]),
            ] as [(String, [UInt16])] {
                let replayed = try replay(bytes, selecting(expression))
                #expect(replayed.ports == all.filter { expected.contains($0) }, "\(expression)")
                #expect(replayed.error == nil && replayed.leftOut == nil)
            }
        }

        /// libpcap has no VLANs and no labels for cooked frames.
        @Test(arguments: [1, 113, 276] as [UInt32])
        func anExpressionThatNamesTheLinkIsAskedAboutTheFrame(type: UInt32) throws {
            let text = CaptureText()
            var bytes = text.header(linkType: type)
            for packet in Self.packets {
                for frame in Self.frames(type, packet) { bytes += text.record(frame, seconds: 1) }
            }
            for (expression, expected) in [
                ("vlan and tcp", [1, 2, 3]), ("vlan 5 and dst port 2", [2]), ("vlan 6", []),
                ("mpls and mpls and dst port 3", [3]),
                ("pppoes and dst port 1", [1]), ("ether src 02:02:02:02:02:02 and dst port 1", [1]),
                ("vlan and vlan and dst port 2", [2]), ("ether proto 0x8909", [1, 2, 3]),
            ] as [(String, [UInt16])] {
                let replayed = try replay(bytes, selecting(expression, namesLink: true))
                #expect(replayed.ports == expected, "\(expression)")
                #expect(replayed.error == nil, "\(expression)")
            }
        }

        @Test func whatTheExpressionLeavesOutIsNotCounted() throws {
            let text = CaptureText()
            let gre = TestPacket.ipv4([UInt8](repeating: 0, count: 20), next: 47)
            let bytes = text.header(linkType: 12) + text.record(gre, seconds: 1)
            #expect(try replay(bytes).leftOut == "FILE: read: left out, but may hold TCP: 1 in tunnels")
            #expect(try replay(bytes, selecting("tcp")).leftOut == nil)
            #expect(try replay(bytes, selecting("ip proto 47")).leftOut != nil)
        }

        @Test func anExpressionThatALinkTypeCanNotExpressIsAnErrorBeforeAnythingIsRead() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader() + text.interface(linkType: 1) + text.interface(linkType: 101)
            bytes += text.packet(synFrame(to: 22), time: 1)
            let replayed = try replay(bytes, selecting("vlan", namesLink: true))
            #expect(replayed.ports == [])
            #expect(replayed.error == "vlan: compile filter: no VLAN support for Raw IP")
        }

        /// Names in it would have to be looked up where that can't be done any more.
        @Test func aLinkTypeThatComesLateIsAnErrorForAFileAndNoneForAPipe() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader() + text.interface(linkType: 1) + text.packet(synFrame(to: 22), time: 1)
            bytes += text.interface(linkType: 101)
            bytes += text.packet(Array(synFrame(to: 22).dropFirst(14)), time: 1, interface: 1)
            let file = try replay(bytes, selecting("dst port 22"))
            #expect(file.ports == [22])
            let reason = "a link type comes late in the file; read it through a pipe, with --read -"
            #expect(file.error == "dst port 22: compile filter: \(reason)")
            let pipe = replay(try TestFile(pipeWith: bytes), selecting("dst port 22"))
            #expect(pipe.ports == [22, 22])
            #expect(pipe.error == nil)
        }
    }
#endif
