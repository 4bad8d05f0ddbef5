import CLinux
import ScanCore

/// What becomes of the packets in the ring: each is judged again, as the filter was not always the one of now and keeps
/// what it can't tell.
struct PacketIntake: ~Copyable {
    /// Whether what the host itself sends is left out.
    let inboundOnly: Bool
    /// Whether frames for the link address of another host are kept.
    let promiscuous: Bool
    /// What is wanted of the packets.
    let interest: CaptureSelection.Interest
    /// Whether frames with a VLAN tag are left out.
    private let untaggedOnly: Bool
    /// The interfaces packets are taken from, `nil` for all.
    var wanted: InterfaceIndexes? {
        didSet { if case .none = wanted { takesAll = true } else { takesAll = false } }
    }
    private var takesAll = true
    /// The clocks.
    var times: TimeMapping

    private var reader: Box<PacketReader>

    init(_ selection: CaptureSelection, key: HashKey) {
        inboundOnly = selection.inboundOnly
        promiscuous = selection.promiscuous
        interest = selection.interest
        untaggedOnly = selection.untaggedOnly
        reader = Box { PacketReader(key: key, takesCutHeaders: selection.takesCutHeaders) }
        // A block is handed over when the timer comes by the second time; and the timer may be late.
        let wait = 2 * Int64(Parameters.ringBlockTimeout) + 20
        times = TimeMapping(now: .now(), realTime: realTime(), slack: wait * 1_000_000)
    }

    /// Takes the packets of a block.
    mutating func takeAll(of block: Span<UInt8>, into sink: inout some SegmentSink & ~Copyable) {
        do throws(PacketFault) {
            var packets = try PacketBlock(block)
            while let packet = try packets.nextPacket(in: block) {
                if isWanted(packet) { take(packet, in: block, into: &sink) }
            }
        } catch {
            sink.take(error)
        }
    }

    @inline(__always)
    private mutating func take(
        _ packet: RingPacket, in block: Span<UInt8>, into sink: inout some SegmentSink & ~Copyable
    ) {
        let now = times.timestamp(of: packet.realTime)
        do throws(PacketFault) {
            let payload = block.extracting(packet.bytes)
            let offset = try packet.packetOffset(in: payload)
            let bytes = offset == 0 ? payload : payload.extracting(offset..<payload.count)
            if try sink.take(packet: bytes, at: now, realTime: packet.realTime) { return }
            if let segment = try reader.value.read(bytes, at: now) {
                sink.take(segment, at: now, realTime: packet.realTime)
            }
        } catch {
            sink.take(error)
        }
    }

    // Mutating as what the next one asks: else the compiler (Swift 6.3) copies all of this for each packet.
    @inline(__always)
    private mutating func isWanted(_ packet: RingPacket) -> Bool {
        if packet.kind == UInt8(PACKET_OUTGOING) && (inboundOnly || packet.isOfLoopback) { return false }
        if !promiscuous && packet.kind == UInt8(PACKET_OTHERHOST) { return false }
        if untaggedOnly && (packet.isTagged || LinkLayer.isTag(packet.etherType)) { return false }
        return takesAll || isNamed(packet.interface)
    }

    @inline(never)
    private mutating func isNamed(_ interface: Int32) -> Bool {
        if let wanted { return wanted.contains(interface) }
        return true
    }
}

extension RingPacket {
    /// Where in the bytes that were kept of it the IP header begins.
    ///
    /// - Throws: see ``LinkLayer/packetOffset(in:)``.
    @inline(__always)
    fileprivate func packetOffset(in payload: Span<UInt8>) throws(PacketFault) -> Int {
        if !isTagged && (etherType == 0x0800 || etherType == 0x86dd) { return 0 }  // nearly all
        return try LinkLayer.packetOffset(etherType: try beginning(of: payload), in: payload)
    }
}

/// The time of day, in nanoseconds since 1970 (clock_gettime(2)).
func realTime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
