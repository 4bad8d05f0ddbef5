import Glibc

@testable import ScanCore

/// A packet that can be cut into fragments.
protocol Fragmentable {
    /// The part that is divided among the fragments.
    var content: [UInt8] { get }

    /// The fragment with some of it; more follow unless it says otherwise.
    func piece(_ range: Range<Int>, more: Bool) -> [UInt8]

    /// Where in the content the TCP header ends.
    var headerEnd: Int { get }

    /// The packet in one.
    var bytes: [UInt8] { get }
}

extension Fragmentable {
    /// The fragment with some of the content; more follow unless it is the last.
    func piece(_ range: Range<Int>) -> [UInt8] { piece(range, more: range.upperBound < content.count) }

    /// Fragments of a size, in order.
    func pieces(of size: Int) -> [[UInt8]] {
        stride(from: 0, to: content.count, by: size).map { piece($0..<min($0 + size, content.count)) }
    }
}

extension IPv4Packet: Fragmentable {
    var content: [UInt8] { payload }
    var headerEnd: Int { 20 }

    func piece(_ range: Range<Int>, more: Bool) -> [UInt8] {
        var piece = self
        piece.fragment = UInt16(range.lowerBound / 8) | (more ? 0x2000 : 0)
        piece.payload = [UInt8](payload[range])
        return piece.bytes
    }
}

/// An IPv6 packet with extension headers on both sides of where it is cut.
struct DivisibleIPv6Packet: Fragmentable {
    /// What is the same in all fragments.
    var packet = IPv6Packet()
    /// Extension headers that are divided with the payload.
    var inner: [ExtensionHeader] = []
    var identification: UInt32 = 0xcafe_babe

    var content: [UInt8] {
        var whole = packet
        whole.headers = inner
        return [UInt8](whole.bytes.dropFirst(40))
    }

    var headerEnd: Int { content.count - packet.payload.count + 20 }

    var bytes: [UInt8] {
        var whole = packet
        whole.headers += inner
        return whole.bytes
    }

    func piece(_ range: Range<Int>, more: Bool) -> [UInt8] {
        var piece = packet
        let offset = UInt16(range.lowerBound / 8)
        piece.headers.append(.fragment(offset: offset, lowBits: more ? 1 : 0, identification: identification))
        piece.lastNext = inner.first?.number ?? packet.lastNext
        piece.payload = [UInt8](content[range])
        return piece.bytes
    }
}

/// What becomes of a packet.
enum Reading: Equatable {
    case segment(Probe)
    /// Neither a segment nor a fault: it waits for others.
    case kept
    case fault(PacketFault)

    var segment: Probe? {
        if case .segment(let segment) = self { segment } else { nil }
    }
}

/// A defragmenter, fed by tests. A class, as `#expect` can't hold what is not copyable.
final class FragmentWatch<let capacity: Int, let setSize: Int> {
    private var defragmenter = Defragmenter<capacity, setSize>(key: HashKey.forTests)

    /// Takes a packet as far as `ProbeReader` has it joined.
    func read(_ packet: some Collection<UInt8>, at time: Int64 = 0) -> Reading {
        let bytes = [UInt8](packet)
        do throws(PacketFault) {
            return .segment(try Probe(packet: bytes.span))
        } catch {
            return error == .fragment ? take(bytes, at: time) : .fault(error)
        }
    }

    /// Takes a packet that must be a fragment.
    func take(_ packet: [UInt8], at time: Int64 = 0) -> Reading {
        do throws(PacketFault) {
            let fragment = try Fragment(packet: packet.span, over: LinkPath())
            let segment = try defragmenter.join(fragment, of: packet.span, at: Timestamp(nanoseconds: time))
            return segment.map { .segment($0) } ?? .kept
        } catch {
            return .fault(error)
        }
    }

    func read(each packets: [[UInt8]], at time: Int64 = 0) -> [Reading] { packets.map { read($0, at: time) } }

    var evicted: UInt64 { defragmenter.evicted }
}

/// A defragmenter of the shipped size.
typealias ShippedFragmentWatch = FragmentWatch<256, 4>

/// One that holds a few packets: quick to make.
typealias SmallFragmentWatch = FragmentWatch<4, 4>

/// All orders of a few things.
func orders<Thing>(_ things: [Thing]) -> [[Thing]] {
    if things.isEmpty { return [[]] }
    return things.indices.flatMap { index in
        var rest = things
        let thing = rest.remove(at: index)
        return orders(rest).map { [thing] + $0 }
    }
}

/// A reader of packets, fed by tests. On the heap: it would not fit on the stack of a test.
@safe final class ReaderWatch {
    private let reader: UnsafeMutablePointer<ProbeReader>

    init(takesCutHeaders: Bool = false) {
        // From the system as zero, of which only what is written to costs anything.
        guard let memory = unsafe calloc(1, MemoryLayout<ProbeReader>.size) else { fatalError("out of memory") }
        unsafe reader = memory.bindMemory(to: ProbeReader.self, capacity: 1)  // zero is an empty one
        unsafe reader.pointee.start(key: .forTests, takesCutHeaders: takesCutHeaders)
    }

    deinit {
        unsafe free(reader)
    }

    /// The segments that a packet makes known.
    func segments(
        of packet: [UInt8], over path: LinkPath = LinkPath(), at time: Int64 = 0
    ) throws(PacketFault) -> [Probe] {
        var segments: [Probe] = []
        unsafe try reader.pointee.read(packet.span, over: path, at: Timestamp(nanoseconds: time)) { segment in
            segments.append(segment)
        }
        return segments
    }

    var fragmentsKept: UInt64 { unsafe reader.pointee.fragmentsKept }
    var fragmentedPacketsEvicted: UInt64 { unsafe reader.pointee.fragmentedPacketsEvicted }
}
