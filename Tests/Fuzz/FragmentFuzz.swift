#if canImport(Glibc)
    import Glibc
#endif

/// The input is a sequence of fragments with times between them, fed to two readers: one that keeps few packets, and
/// one that has room for all and must agree with the model.
func fragmentFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var input = unsafe Input(Array(UnsafeBufferPointer(start: data, count: count)))
    var run = FragmentRun()
    while !input.isEmpty { run.step(&input) }
    return 0
}

private struct FragmentRun: ~Copyable {
    private static let key = HashKey([
        0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
        0xa076_1d64_78bd_642f,
    ])

    private var small = Defragmenter<4, 2>(key: key)
    /// One set, with a place for each name that a ``Piece`` can have.
    private var roomy = Defragmenter<32, 32>(key: key)
    private let shipped = ReaderOnHeap(key: key)
    private let eager = ReaderOnHeap(key: key, takesCutHeaders: true)
    private var model = FragmentModel()
    private var now: Int64 = 0
    private var taken: UInt64 = 0

    /// Reads one step and takes it.
    mutating func step(_ input: inout Input) {
        let choice = input.byte()
        if choice == 0xff {
            now &+= Int64(bitPattern: UInt64(input.byte()) << 56)  // to the ends of time, and back
        } else if choice >= 0xf0 {
            now &+= Int64(choice & 15) * 5_000_000_001
        } else if choice >= 0xe0 {
            takeAnything(input.bytes(Int(input.byte() & 127)))
        } else {
            let piece = Piece(choice, &input)
            if piece.isWhole { takeAnything(piece.packet) } else { take(piece) }
        }
    }

    private mutating func take(_ piece: Piece) {
        let packet = piece.packet
        let (expected, isFragment) = model.take(piece, at: now)
        let outcome = Self.read(packet, by: &roomy, at: now)
        check(outcome == expected, "\(outcome) where the model says \(expected), of \(piece)")
        check(roomy.evicted == 0, "a packet made room where there is room for all")
        if isFragment { taken += 1 }
        _ = Self.read(packet, by: &small, at: now)
        check(small.evicted <= taken, "more packets made room than came")
        readShipped(packet)
    }

    /// Bytes that may be no packet at all: for the tables that the model does not speak of.
    private mutating func takeAnything(_ packet: [UInt8]) {
        taken += 2
        _ = Self.read(packet, by: &small, at: now)
        _ = FragmentOutcome { () throws(PacketFault) in
            let fragment = try Fragment(packet: packet.span, over: LinkPath())
            return try small.join(fragment, of: packet.span, at: Timestamp(nanoseconds: now))
        }
        readShipped(packet)
    }

    /// What is no fragment, the reader leaves to the parser. The ports of a first fragment are told at once.
    private mutating func readShipped(_ packet: [UInt8]) {
        let parsed = FragmentOutcome { () throws(PacketFault) in try Probe(packet: packet.span) }
        let time = Timestamp(nanoseconds: now)
        var told: [Probe] = []
        let read = FragmentOutcome { () throws(PacketFault) in
            told = try shipped.segments(of: packet, at: time)
            return told.first
        }
        check(parsed == .fault(.fragment) || read == parsed, "the reader says \(read), the parser \(parsed)")
        check(told.count <= SplitChains<128, 2_359_296>.mostSteps * 130, "\(told.count) segments of one packet")
        if parsed == .fault(.fragment), read != .fault(.malformed), let first = Self.firstSegment(of: packet) {
            check(told.first?.destinationPort == first.destinationPort, "\(told) of what begins with \(first)")
        }
        _ = FragmentOutcome { () throws(PacketFault) in
            try eager.segments(of: packet, at: time).first
        }
    }

    private static func firstSegment(of packet: [UInt8]) -> Probe? {
        do throws(PacketFault) {
            return try Probe(beginningIn: packet.span)
        } catch {
            return nil
        }
    }

    /// Does what `ProbeReader` does, with a table of another size.
    private static func read<let capacity: Int, let setSize: Int>(
        _ packet: [UInt8], by table: inout Defragmenter<capacity, setSize>, at now: Int64
    ) -> FragmentOutcome {
        let parsed = FragmentOutcome { () throws(PacketFault) in try Probe(packet: packet.span) }
        if parsed != .fault(.fragment) { return parsed }
        return FragmentOutcome { () throws(PacketFault) in
            let fragment = try Fragment(packet: packet.span, over: LinkPath())
            return try table.join(fragment, of: packet.span, at: Timestamp(nanoseconds: now))
        }
    }
}

/// What becomes of a packet.
enum FragmentOutcome: Equatable {
    case segment(Probe)
    /// Neither a segment nor a fault: it waits for others.
    case kept
    case fault(PacketFault)

    init(_ read: () throws(PacketFault) -> Probe?) {
        do throws(PacketFault) {
            self = try read().map { .segment($0) } ?? .kept
        } catch {
            self = .fault(error)
        }
    }
}

/// A reader of packets. It would not fit on a stack, and the pages of it that are not written to cost nothing.
@safe private final class ReaderOnHeap {
    private let reader: UnsafeMutablePointer<ProbeReader>

    init(key: HashKey, takesCutHeaders: Bool = false) {
        guard let memory = unsafe calloc(1, MemoryLayout<ProbeReader>.size) else { fatalError("out of memory") }
        unsafe reader = memory.bindMemory(to: ProbeReader.self, capacity: 1)  // zero is an empty one
        unsafe reader.pointee.start(key: key, takesCutHeaders: takesCutHeaders)
    }

    deinit {
        unsafe free(reader)
    }

    /// The segments that a packet makes known.
    func segments(of packet: [UInt8], at time: Timestamp) throws(PacketFault) -> [Probe] {
        var segments: [Probe] = []
        unsafe try reader.pointee.read(packet.span, over: LinkPath(), at: time) { segments.append($0) }
        return segments
    }
}
