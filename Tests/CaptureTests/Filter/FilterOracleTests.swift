import CLinux
import ScanCore
import System
import Testing

@testable import Capture

private typealias P = TestPacket

/// What the kernel shows a filter, put together of layers that are known.
private struct Layers {
    /// What the payload is: a type of Ethernet.
    var etherType = 0x0800
    var payload: [UInt8]
    /// The tags, which the payload begins with, outermost first.
    var tags: [UInt16] = []
    /// How long what stands between the tags and the IP header is: PPPoE, labels of MPLS, a tag of Cisco TrustSec, or nothing.
    var headerLength = 0
    /// The type of that, or of the packet.
    var innerType = 0
    /// Whether it is IPv6.
    var isIPv6 = false
    /// Where in the packet what it holds of a segment begins, from the IP header on.
    var partOffset = 0
    /// Which bytes of the segment it holds.
    var part = 0..<0
    /// Whether it is a fragment, and not one that is a whole packet (RFC 6946).
    var isFragment = false
    let flags: UInt8

    /// Where the IP header begins.
    var packetOffset: Int { tags.count * 4 + headerLength }

    /// Whether a Linux host takes it as sent to itself, on an interface without VLANs: with tags of id 0 only, which 802.1Q
    /// has for priorities. A type that stood for tags before 802.1ad is none to Linux.
    var isForTheHost: Bool { tags.allSatisfy { $0 & 0x0fff == 0 } && headerLength == 0 }

    /// How many bytes must be kept so that nothing is lost of what the packet says of a TCP header's first 20 bytes.
    var neededLength: Int {
        max(1, packetOffset + partOffset + min(max(0, 20 - part.lowerBound), part.count))
    }
}

/// Draws packets.
private struct Generator {
    var numbers: SeededNumbers

    private mutating func draw<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &numbers)]
    }

    /// One in so many.
    private mutating func rarely(_ chance: Int) -> Bool { Int.random(in: 0..<chance, using: &numbers) == 0 }

    /// A TCP header of any length that may be, some data behind it, and any flags, mostly those that matter.
    private mutating func segment() -> [UInt8] {
        let units = rarely(2) ? 5 : Int.random(in: 5...15, using: &numbers)
        var header = P.tcp(
            flags: draw([P.syn, P.syn, P.ack, P.pshAck, 0, 1, 0x29, .random(in: 0...255, using: &numbers)]))
        header[12] = UInt8(units << 4)
        let rest = (units - 5) * 4 + draw([0, 0, 1, 11, 700])
        while header.count < 20 + rest { header += P.big(Int(numbers.next() & 0xffff)) }
        return Array(header.prefix(20 + rest))
    }

    /// A part of the segment such as a fragment may hold: whatever length, from whatever multiple of 8.
    private mutating func part(of segment: [UInt8]) -> (range: Range<Int>, isLast: Bool) {
        let start = rarely(2) ? 0 : Int.random(in: 0...min(5, segment.count / 8), using: &numbers) * 8
        let length = rarely(2) ? segment.count - start : Int.random(in: 0...(segment.count - start), using: &numbers)
        return (start..<start + length, start + length == segment.count)
    }

    private mutating func ipv4(_ segment: [UInt8]) -> Layers {
        let options = rarely(2) ? 0 : Int.random(in: 0...10, using: &numbers) * 4
        var layers = Layers(payload: [], flags: segment[13])
        let (range, isLast) = rarely(3) ? part(of: segment) : (0..<segment.count, true)
        let field = UInt16(range.lowerBound / 8) | (isLast ? 0 : 0x2000)
        layers.isFragment = field != 0
        layers.partOffset = 20 + options
        layers.part = range
        layers.payload = P.ipv4(Array(segment[range]), options: options, fragment: field | draw([0, 0x4000, 0x8000]))
        layers.payload[5] = .random(in: 0...2, using: &numbers)
        return layers
    }

    /// Extension headers, innermost first, each with its length in units of 8 bytes: now and then as many as the packet
    /// holds.
    private mutating func chain(room: Int) -> [(kind: UInt8, units: Int)] {
        var left = room / 8
        var count =
            rarely(50)
            ? 8192 : rarely(8) ? Int.random(in: 0...40, using: &numbers) : Int.random(in: 0...9, using: &numbers)
        var headers: [(UInt8, Int)] = []
        while count > 0 && left > 0 {
            let kind: UInt8 = count == 1 && rarely(2) ? 0 : draw([60, 60, 60, 43, 44])
            let units = kind == 44 ? 1 : min(left, rarely(200) ? 256 : Int.random(in: 1...5, using: &numbers))
            headers.append((kind, units))
            left -= units
            count -= 1
        }
        return headers
    }

    private mutating func ipv6(_ segment: [UInt8]) -> Layers {
        var layers = Layers(etherType: 0x86dd, payload: [], isIPv6: true, flags: segment[13])
        var (next, payload) = (UInt8(6), segment)
        layers.part = 0..<segment.count
        var headers = chain(room: (rarely(20) ? 65_000 : 8000) - segment.count)
        // A fragment's header is what all of the packet's own headers come before.
        if rarely(3) {
            let (range, isLast) = part(of: segment)
            payload = P.fragment(Array(segment[range]), next: 6, field: range.lowerBound | (isLast ? 0 : 1))
            payload[7] = .random(in: 0...2, using: &numbers)
            next = 44
            layers.part = range
            layers.isFragment = range.lowerBound > 0 || !isLast
            if layers.isFragment { headers.removeAll { $0.kind == 44 } }
        }
        let start = payload.count - layers.part.count
        var prefix: [UInt8] = []
        for (kind, units) in headers {
            // A fragment header's second byte is reserved, and the offset behind it 0.
            let header = [next, UInt8(kind == 44 ? 0 : units - 1)] + [UInt8](repeating: 0, count: units * 8 - 2)
            prefix.insert(contentsOf: header, at: 0)
            next = kind
        }
        layers.payload = P.ipv6(prefix + payload, next: next)
        layers.partOffset = 40 + prefix.count + start
        return layers
    }

    /// A packet with none to three tags, and perhaps in a session of PPPoE, or behind labels or another tag.
    mutating func packet() -> Layers {
        let segment = segment()
        var layers = rarely(2) ? ipv4(segment) : ipv6(segment)
        if rarely(3) { layers.payload += [UInt8](repeating: 0, count: draw([1, 4, 6, 46])) }  // padding of the link
        if rarely(8) {
            layers.payload = P.session(layers.payload, pppProtocol: layers.etherType == 0x0800 ? 0x21 : 0x57)
            (layers.etherType, layers.headerLength) = (0x8864, 8)
        } else if rarely(8) {
            let count = draw([1, 1, 2, 3])
            layers.payload = P.labels(layers.payload, count: count)
            (layers.etherType, layers.headerLength) = (draw([0x8847, 0x8848]), count * 4)
        } else if rarely(8) {
            let units = draw([1, 1, 2])
            layers.payload = P.securityTag(layers.payload, type: layers.etherType, units: UInt8(units))
            (layers.etherType, layers.headerLength) = (0x8909, units * 4 + 4)
        }
        layers.innerType = layers.etherType
        for _ in 0..<draw([0, 0, 1, 2, 3]) {
            let control = UInt16.random(in: 0...7, using: &numbers) << 13 | draw([0, 0, 0, 5, 4095])
            layers.payload = P.tag(layers.payload, type: layers.etherType, tci: Int(control))
            layers.etherType = draw([0x8100, 0x8100, 0x88a8])
            layers.tags.insert(control, at: 0)
        }
        return layers
    }

    /// The same with a few bytes changed, most often where it matters, and sometimes cut off.
    mutating func damaged(_ layers: Layers) -> [UInt8] {
        var payload = layers.payload
        for _ in 0..<draw([0, 0, 1, 3]) {
            payload[Int.random(in: 0..<min(80, payload.count), using: &numbers)] = .random(in: 0...255, using: &numbers)
        }
        return rarely(6) ? Array(payload.prefix(Int.random(in: 0...payload.count, using: &numbers))) : payload
    }
}

/// What comes of a packet.
private enum Outcome: Equatable {
    /// What it makes known: nothing yet, if it is a fragment that waits for others.
    case segments([Probe])
    case fault(PacketFault)

    func isOfUse(for interest: CaptureOptions.Interest) -> Bool {
        switch self {
        case .segments(let segments):
            segments.isEmpty
                || segments.contains { segment in
                    interest == .attempts ? Attempt(segment, realTime: 0) != nil : !segment.isEstablishedData
                }
        case .fault(let fault): fault == .fragment
        }
    }
}

/// Reads packets as a capture does.
private final class Reader {
    private var packets: Box<ProbeReader>

    init(_ interest: CaptureOptions.Interest) throws {
        var selection = CaptureOptions()
        selection.interest = interest
        packets = try Box(selection, key: HashKey([1, 2, 3, 4, 5]))
    }

    /// - Parameter offset: where in the bytes the IP header begins.
    func read(
        _ bytes: [UInt8], at number: Int, offset: (Span<UInt8>) throws(PacketFault) -> Int
    ) -> Outcome {
        do throws(PacketFault) {
            let offset = try offset(bytes.span)
            let now = Timestamp(nanoseconds: Int64(number) * 1_000_000)
            var segments: [Probe] = []
            try packets.value.read(bytes.span.extracting(offset...), over: LinkPath(), at: now) { segments.append($0) }
            return .segments(segments)
        } catch {
            return .fault(error)
        }
    }
}

/// Compares a filter with what the reader of packets makes of what the filter kept.
private struct Comparison {
    let interest: CaptureOptions.Interest
    private let whole: Reader
    private let kept: Reader
    private var number = 0

    init(_ interest: CaptureOptions.Interest) throws {
        self.interest = interest
        whole = try Reader(interest)
        kept = try Reader(interest)
    }

    /// - Returns: why the filter loses something that would be made use of; `nil` if it does not.
    mutating func fault(
        _ bytes: [UInt8], verdict: Int, offset: (Span<UInt8>) throws(PacketFault) -> Int
    ) -> String? {
        number += 1
        let outcome = whole.read(bytes, at: number, offset: offset)
        if verdict == 0 { return outcome.isOfUse(for: interest) ? "dropped: \(outcome)" : nil }
        let ofKept = kept.read(Array(bytes.prefix(verdict)), at: number, offset: offset)
        if !outcome.isOfUse(for: interest) && !ofKept.isOfUse(for: interest) { return nil }
        return outcome == ofKept ? nil : "\(outcome), of the \(verdict) bytes kept \(ofKept)"
    }
}

private let interests: [CaptureOptions.Interest] = [.probes, .attempts]

/// A new seed in every run, and three old ones.
private let seeds: [UInt64] = [1, 2, 3, .random(in: 0 ... .max)]

private func cookedFilter(_ interest: CaptureOptions.Interest) -> [sock_filter] {
    RingFilter(interfaces: nil, direction: .incoming, promiscuous: false, interest: interest).program
}

struct FilterOracleTests {
    /// Linux answers a probe behind any number of destination options, for which a loopback interface has 65,535 bytes.
    @Test func theCookedFilterKeepsAChainOfHeadersAsLongAsAPacket() throws {
        var packet = P.tcp(flags: P.syn)
        for units in [256, 256, 256, 256, 256, 256, 256, 256, 8] {
            let next: UInt8 = packet.count == 20 ? 6 : 60
            packet = [next, UInt8(units - 1)] + [UInt8](repeating: 0, count: units * 8 - 2) + packet
        }
        packet = P.ipv6(packet, next: 60)
        for interest in interests {
            let machine = FilterMachine(etherType: 0x86dd)
            let verdict = try #require(machine.verdict(of: cookedFilter(interest), on: packet))
            #expect(verdict >= packet.count)
        }
    }

    @Test(arguments: interests, seeds)
    func theCookedFilterLosesNothingThatIsMadeUseOf(interest: CaptureOptions.Interest, seed: UInt64) throws {
        var generator = Generator(numbers: SeededNumbers(seed: seed))
        var comparison = try Comparison(interest)
        let filter = cookedFilter(interest)
        for number in 0..<2500 {
            let layers = generator.packet()
            let bytes = number % 2 == 0 ? layers.payload : generator.damaged(layers)
            let type = UInt16(layers.etherType)
            let verdict = try #require(FilterMachine(etherType: type).verdict(of: filter, on: bytes))
            let fault = comparison.fault(bytes, verdict: verdict) { payload throws(PacketFault) in
                try PacketPlace(etherType: type, in: payload).offset
            }
            try #require(fault == nil, "seed \(seed), number \(number), \(layers.tags), \(bytes.prefix(160))")
        }
    }

    /// Asks nothing of the reader: what a packet holds is known from how it was made.
    @Test(arguments: interests, seeds)
    func theCookedFilterKeepsWhatAHostTakes(interest: CaptureOptions.Interest, seed: UInt64) throws {
        var generator = Generator(numbers: SeededNumbers(seed: seed))
        let filter = cookedFilter(interest)
        var (kept, dropped) = (0, 0)
        for number in 0..<2500 {
            let layers = generator.packet()
            let isWanted =
                layers.isFragment
                || (interest == .attempts
                    ? layers.flags & 0x12 == 0x02 : !TCPFlags(rawValue: layers.flags).isEstablishedData)
            let machine = FilterMachine(etherType: UInt16(layers.etherType))
            let verdict = try #require(machine.verdict(of: filter, on: layers.payload))
            if verdict == 0 { dropped += 1 }
            if !isWanted || !layers.isForTheHost { continue }
            kept += 1
            try #require(
                verdict >= layers.neededLength,
                "seed \(seed), number \(number): needs \(layers.neededLength), \(layers.payload.prefix(160))")
        }
        #expect(kept > 300 && dropped > 30)  // else nothing was compared
    }

    @Test(arguments: seeds) func theFiltersOfRawSocketsLoseNothingThatIsMadeUseOf(seed: UInt64) throws {
        var generator = Generator(numbers: SeededNumbers(seed: seed))
        var comparison = try Comparison(.probes)
        let (ofPackets, ofHeaders) = (RawSocketFilter.ipv4, RawSocketFilter.tcp)
        let (ipv4, tcp) = (ofPackets.indices.map { ofPackets[$0] }, ofHeaders.indices.map { ofHeaders[$0] })
        let machine = FilterMachine()
        for number in 0..<2500 {
            let layers = generator.packet()
            let bytes = number % 2 == 0 ? layers.payload : generator.damaged(layers)
            // An IPv4 raw socket has the packet; an IPv6 one what is behind all headers of a packet put together.
            if bytes.count > layers.packetOffset && bytes[layers.packetOffset] >> 4 == 4 {
                let packet = Array(bytes.dropFirst(layers.packetOffset))
                let verdict = try #require(machine.verdict(of: ipv4, on: packet))
                let fault = comparison.fault(packet, verdict: verdict) { _ throws(PacketFault) in 0 }
                try #require(fault == nil, "seed \(seed), number \(number), \(packet)")
            } else if !layers.isFragment {
                let header = Array(bytes.dropFirst(layers.packetOffset + layers.partOffset))
                let verdict = try #require(machine.verdict(of: tcp, on: header))
                let isWanted = header.count >= 20 && !TCPFlags(rawValue: header[13]).isEstablishedData
                #expect(!isWanted || verdict >= 20, "seed \(seed), number \(number), \(header)")
            }
        }
    }
}

#if Pcap
    import CPcap

    /// A filter of libpcap's for a link type, as instructions.
    func pcapProgram(
        dataLinkType: Int32, others: OtherPackets = OtherPackets(), ownAnswers: Bool = false
    ) throws -> [sock_filter] {
        let functions = unsafe try PcapLibrary().functions.pointee
        guard var text = PcapFilterText(dataLinkType: dataLinkType, others: others, ownAnswers: ownAnswers) else {
            throw SystemError("test", "filter")
        }
        guard let handle = unsafe functions.open_dead(dataLinkType, Parameters.pcapSnapshot) else {
            throw SystemError("test", "open")
        }
        defer { unsafe functions.close(handle) }
        var program = unsafe bpf_program()
        let compiled = unsafe text.withPointer { unsafe functions.compile(handle, &program, $0, 1, .max) }
        try #require(compiled == 0)
        defer { unsafe functions.freecode(&program) }
        return unsafe (0..<Int(program.bf_len)).map { index in
            let it = unsafe program.bf_insns[index]
            return sock_filter(code: it.code, jt: it.jt, jf: it.jf, k: it.k)
        }
    }

    extension FilterOracleTests {
        /// Frames on the network of a capture may be longer than 1,500 bytes.
        @Test func libpcapsSnapshotHoldsAChainOfHeadersInAJumboFrame() throws {
            let options = [6, 255] + [UInt8](repeating: 0, count: 2046)
            let frame =
                [UInt8](repeating: 2, count: 12) + [0x86, 0xdd] + P.ipv6(options + P.tcp(flags: P.syn), next: 60)
            let verdict = try #require(FilterMachine().verdict(of: try pcapProgram(dataLinkType: 1), on: frame))
            #expect(verdict >= frame.count)
        }

        /// A tag of priority 2 or 3 and of id 0 begins as an IP header does, but for the length of the header.
        @Test(arguments: [(0x4000, 0x0800), (0x6000, 0x86dd)])
        func aTagOfPriorityThatCookedFramesSayNothingOfIsNoHeader(control: Int, type: Int) throws {
            var packet = type == 0x0800 ? P.ipv4(P.tcp(flags: P.syn)) : P.ipv6(P.tcp(flags: P.syn))
            if type == 0x86dd { packet[2] = 1 }  // the flow label, which then stands where the next header would
            let frame =
                [0, 0, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8) + P.big(type)
                + P.tag(packet, type: type, tci: control)
            let verdict = try #require(FilterMachine().verdict(of: try pcapProgram(dataLinkType: 113), on: frame))
            #expect(verdict > 0)
        }

        @Test(arguments: [1, 113, 12] as [Int32], seeds)
        func libpcapsFiltersLoseNothingThatIsMadeUseOf(type: Int32, seed: UInt64) throws {
            var generator = Generator(numbers: SeededNumbers(seed: seed))
            var comparison = try Comparison(.probes)
            let program = try pcapProgram(dataLinkType: type)
            let link = try #require(LinkLayer(dataLinkType: type))
            for number in 0..<2500 {
                let layers = generator.packet()
                let bytes = number % 2 == 0 ? layers.payload : generator.damaged(layers)
                let frame: [UInt8]
                switch type {
                case 1: frame = [UInt8](repeating: 2, count: 12) + P.big(layers.etherType) + bytes
                // Since Linux 6.11 with the protocol behind all tags.
                case 113:
                    let shown = number % 3 == 0 ? layers.innerType : layers.etherType
                    frame = [0, 0, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8) + P.big(shown) + bytes
                default: frame = Array(bytes.dropFirst(layers.packetOffset))
                }
                let verdict = try #require(FilterMachine().verdict(of: program, on: frame))
                let fault = comparison.fault(frame, verdict: verdict) { frame throws(PacketFault) in
                    try link.place(in: frame).offset
                }
                try #require(fault == nil, "seed \(seed), number \(number), \(layers.tags), \(frame.prefix(160))")
            }
        }
    }
#endif
