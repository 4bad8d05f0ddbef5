#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System
    import Testing

    @testable import Capture

    /// Runs a filter of libpcap's in the kernel, on a pair of sockets that needs no privilege.
    private struct PcapFilterRun: ~Copyable {
        private let sender: Descriptor
        private let receiver: Descriptor

        init(dataLinkType: Int32) throws {
            let functions = unsafe try PcapLibrary().functions.pointee
            guard var text = PcapFilterText(dataLinkType: dataLinkType) else { throw SystemError("test", "filter") }
            guard let handle = unsafe functions.open_dead(dataLinkType, 65_535) else {
                throw SystemError("test", "open")
            }
            defer { unsafe functions.close(handle) }
            var program = unsafe bpf_program()
            let compiled = unsafe text.withPointer { unsafe functions.compile(handle, &program, $0, 1, .max) }
            try #require(compiled == 0)
            defer { unsafe functions.freecode(&program) }
            var numbers: [Int32] = [-1, -1]
            let made = unsafe socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &numbers)
            try #require(made == 0)
            let (sending, receiving) = (numbers[0], numbers[1])
            // struct bpf_program and struct sock_fprog are the same but for the count's width.
            let code = unsafe UnsafeMutableRawPointer(program.bf_insns)?.assumingMemoryBound(to: sock_filter.self)
            var attached = unsafe sock_fprog(len: UInt16(program.bf_len), filter: code)
            let size = unsafe socklen_t(MemoryLayout<sock_fprog>.size)
            try #require(unsafe setsockopt(receiving, SOL_SOCKET, SO_ATTACH_FILTER, &attached, size) == 0)
            sender = Descriptor(owning: sending)
            receiver = Descriptor(owning: receiving)
        }

        func accepts(_ frame: [UInt8]) throws -> Bool {
            try #require(unsafe send(sender.number, frame, frame.count, 0) == frame.count)
            var buffer = [UInt8](repeating: 0, count: 256)
            return unsafe recv(receiver.number, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0
        }
    }

    private func tcp(_ flags: UInt8) -> [UInt8] {
        [0x9c, 0x40, 0, 22] + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, flags, 4, 0] + [0, 0, 0, 0]
    }

    private func ipv4(_ payload: [UInt8], next: UInt8 = 6, fragment: [UInt8] = [0, 0], options: Int = 0) -> [UInt8] {
        let length = UInt8(20 + options + payload.count)
        return [UInt8(0x45 + options / 4), 0, 0, length, 0, 1] + fragment + [64, next, 0, 0]
            + [10, 0, 0, 1, 10, 0, 0, 2] + [UInt8](repeating: 1, count: options) + payload
    }

    private func ipv6(_ payload: [UInt8], next: UInt8 = 6) -> [UInt8] {
        [0x60, 0, 0, 0, 0, UInt8(payload.count), next, 64] + [UInt8](repeating: 7, count: 32) + payload
    }

    /// What frames begin with before an IP packet.
    private func linkHeader(_ type: Int32, etherType: [UInt8]) -> [UInt8] {
        switch type {
        case 1: [UInt8](repeating: 2, count: 12) + etherType
        case 113: [0, 0, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8) + etherType
        default: []
        }
    }

    private let ipv4Type: [UInt8] = [8, 0]
    private let ipv6Type: [UInt8] = [0x86, 0xdd]

    struct PcapFilterTextTests {
        @Test(arguments: [1, 113, 12] as [Int32]) func onlyEstablishedDataIsDropped(type: Int32) throws {
            let run = try PcapFilterRun(dataLinkType: type)
            for flags in UInt8.min...UInt8.max {
                let isWanted = !TCPFlags(rawValue: flags).isEstablishedData
                let four = linkHeader(type, etherType: ipv4Type)
                let six = linkHeader(type, etherType: ipv6Type)
                #expect(try run.accepts(four + ipv4(tcp(flags))) == isWanted)
                #expect(try run.accepts(four + ipv4(tcp(flags), options: 40)) == isWanted)
                #expect(try run.accepts(six + ipv6(tcp(flags))) == isWanted)
            }
        }

        @Test(arguments: [1, 113, 12] as [Int32]) func whatIsNotTCPIsDropped(type: Int32) throws {
            let run = try PcapFilterRun(dataLinkType: type)
            #expect(try !run.accepts(linkHeader(type, etherType: ipv4Type) + ipv4(tcp(2), next: 17)))
            #expect(try !run.accepts(linkHeader(type, etherType: ipv6Type) + ipv6(tcp(2), next: 17)))
            if type != 12 { #expect(try !run.accepts(linkHeader(type, etherType: [8, 6]) + ipv4(tcp(2)))) }
        }

        @Test(arguments: [1, 113, 12] as [Int32]) func fragmentsAndExtensionsAreNeverDropped(type: Int32) throws {
            let run = try PcapFilterRun(dataLinkType: type)
            for fragment in [[0x20, 0], [0, 1], [0x1f, 0xff]] as [[UInt8]] {
                let packet = ipv4(tcp(0x10), fragment: fragment)
                #expect(try run.accepts(linkHeader(type, etherType: ipv4Type) + packet))
            }
            for next in [0, 43, 44, 51, 60] as [UInt8] {
                let packet = ipv6([6, 0, 0, 0, 0, 0, 0, 0] + tcp(0x10), next: next)
                #expect(try run.accepts(linkHeader(type, etherType: ipv6Type) + packet))
            }
        }

        @Test(arguments: [1, 113] as [Int32]) func whatIsBehindTagsIsNeverDropped(type: Int32) throws {
            let run = try PcapFilterRun(dataLinkType: type)
            for tag in [
                [0x81, 0], [0x88, 0xa8], [0x91, 0], [0x88, 0x64], [0x88, 0x47], [0x88, 0x48], [0x89, 9], [0, 28],
            ] as [[UInt8]] {
                let frame = linkHeader(type, etherType: tag) + [0, 5, 8, 0] + ipv4(tcp(2))
                #expect(try run.accepts(frame))
            }
        }
    }

    struct PcapHiddenTagsTests {
        private let cooked: [UInt8] = linkHeader(113, etherType: ipv4Type)

        private func offset(_ frame: [UInt8], _ type: Int32 = 113) throws -> Int {
            let link = try #require(LinkLayer(dataLinkType: type))
            return try link.place(in: frame.span).offset
        }

        @Test func aPacketIsFoundBehindTagsThatTheFrameSaysNothingOf() throws {
            let packet = ipv4(tcp(2))
            #expect(try offset(cooked + packet) == 16)
            #expect(try offset(cooked + [0, 5, 8, 0] + packet) == 20)
            #expect(try offset(cooked + [0, 5, 0x81, 0, 0, 6, 8, 0] + packet) == 24)
            let six = linkHeader(113, etherType: ipv6Type)
            #expect(try offset(six + [0, 5, 0x86, 0xdd] + ipv6(tcp(2))) == 20)
        }

        @Test func aFrameThatEndsInATagHoldsNoPacket() throws {
            for length in 16...20 {
                let frame = Array((cooked + [0, 5, 8, 0]).prefix(length))
                let packet = Array(frame[try offset(frame)...])
                #expect(packet.count <= 4)
            }
        }

        /// Cooked frames as libpcap puts them together: the first tag, then the type behind all, then the other tags.
        @Test(arguments: [[], [0x6000], [0x4000, 0x6000], [0xe000, 0x2000, 0x4000]] as [[Int]])
        func priorityTagsOfAnyNumberLeadToThePacketAndTagForNoVLAN(tags: [Int]) throws {
            for (packet, type) in [(ipv4(tcp(2)), ipv4Type), (ipv6(tcp(2)), ipv6Type)] {
                var behind = packet
                for (index, tag) in tags.enumerated() {
                    behind = [UInt8(tag >> 8), 0] + (index == 0 ? type : [0x81, 0]) + behind
                }
                let frame = linkHeader(113, etherType: [0x81, 0]) + [0x60, 0] + type + behind
                let place = try #require(LinkLayer(dataLinkType: 113)).place(in: frame.span)
                #expect(place.offset == 20 + 4 * tags.count)
                #expect(place.path == LinkPath())
            }
        }

        @Test func theNumbersOfVLANsAndOfASessionBelongToThePath() throws {
            let tags: [UInt8] = [0x20, 7, 0x81, 0, 0, 0, 0x81, 0, 0xe1, 2, 8, 0]
            let frame = linkHeader(1, etherType: [0x88, 0xa8]) + tags + ipv4(tcp(2))
            var path = LinkPath(interface: 3)
            path.vlans = 0x7102
            #expect(try #require(LinkLayer(dataLinkType: 1)).place(in: frame.span, interface: 3).path == path)
            let header: [UInt8] = [0x11, 0, 0x12, 0x34, 0, 42, 0, 0x21]
            let session = linkHeader(1, etherType: [0x88, 0x64]) + header + ipv4(tcp(2))
            #expect(try #require(LinkLayer(dataLinkType: 1)).place(in: session.span).path.session == 0x1234)
        }

        @Test func ethernetHidesNoTags() throws {
            let frame = linkHeader(1, etherType: ipv4Type) + [0, 5, 8, 0] + ipv4(tcp(2))
            #expect(try offset(frame, 1) == 14)
        }
    }
#endif
