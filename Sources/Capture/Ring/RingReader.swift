import CLinux
import ScanCore
import System

/// Parses the packets in the ring. Each is checked again, since the filter may have been changed after it passed, and
/// keeps packets that it can't classify.
struct RingReader: ~Copyable {
    /// The direction of packets that are wanted.
    let direction: CaptureOptions.Direction
    /// Whether, of the packets that leave, each ``OwnAnswer`` is wanted.
    let ownAnswers: Bool
    /// Whether frames for the link address of another host are kept.
    let promiscuous: Bool
    /// The purpose of the capture.
    let interest: CaptureOptions.Interest
    /// Which packets are wanted that are no TCP probes.
    var others: OtherPackets?
    /// Whether frames that are tagged for a VLAN are left out.
    private let untaggedOnly: Bool
    /// The interfaces packets are taken from, `nil` for all.
    var wanted: InterfaceIndexes? {
        didSet { if case .none = wanted { takesAll = true } else { takesAll = false } }
    }
    private var takesAll = true
    /// The clocks.
    var times: ClockMapping

    private var reader: Box<ProbeReader>
    /// The position in the block at which the sink was full.
    private var position: RingBlock?

    /// The counters of fragments.
    var fragments: FragmentCounters { FragmentCounters(reader.value) }

    init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
        direction = selection.direction
        ownAnswers = selection.ownAnswers
        promiscuous = selection.promiscuous
        interest = selection.interest
        untaggedOnly = selection.untaggedOnly
        reader = try Box(selection, key: key)
        // A block is handed over when its timer expires for the second time; and the timer may be late.
        let wait = 2 * Int64(Parameters.ringBlockTimeout) + 20
        times = ClockMapping(now: .now(), realTime: realTime(), slack: wait * 1_000_000)
    }

    /// Parses the packets of a block, continuing where the last call stopped, until the sink is full.
    ///
    /// - Returns: whether the end of the block was reached.
    mutating func read(_ block: Span<UInt8>, into sink: inout some ProbeSink & ~Copyable) -> Bool {
        do throws(PacketFault) {
            var packets = if let position { position } else { try RingBlock(block) }
            position = nil
            while let packet = try packets.nextPacket(in: block) {
                if isWanted(packet) { read(packet, in: block, into: &sink) }
                if sink.isFull {
                    position = packets
                    return false
                }
            }
        } catch {
            sink.count(error)
        }
        return true
    }

    @inline(__always)
    private mutating func read(
        _ packet: RingPacket, in block: Span<UInt8>, into sink: inout some ProbeSink & ~Copyable
    ) {
        let now = times.timestamp(of: packet.realTime)
        do throws(PacketFault) {
            let payload = block.extracting(packet.bytes)
            let place = try packet.quickPlace(in: payload)
            if untaggedOnly && place.path.vlans != 0 { return }
            let bytes = place.offset == 0 ? payload : payload.extracting(place.offset..<payload.count)
            if ownAnswers && packet.kind == UInt8(PACKET_OUTGOING) && !OwnAnswer.isOne(bytes) { return }
            if try sink.inspect(packet: bytes, over: place.path, at: now, realTime: packet.realTime) { return }
            try reader.value.read(bytes, over: place.path, at: now) { probe in
                sink.receive(probe, of: bytes, over: place.path, at: now, realTime: packet.realTime)
            }
        } catch {
            sink.count(error)
        }
    }

    // Mutating, like the next function: otherwise the compiler (Swift 6.3) copies all of this for each packet.
    @inline(__always)
    private mutating func isWanted(_ packet: RingPacket) -> Bool {
        if packet.kind == UInt8(PACKET_OUTGOING) {
            if direction == .incoming && !ownAnswers { return false }
            if direction != .outgoing && packet.isOfLoopback { return false }  // it arrives as well
        } else if direction == .outgoing {
            return false
        }
        if !promiscuous && packet.kind == UInt8(PACKET_OTHERHOST) { return false }
        return takesAll || isNamed(packet.interface)
    }

    @inline(never)
    private mutating func isNamed(_ interface: Int32) -> Bool {
        if let wanted { return wanted.contains(interface) }
        return true
    }
}

extension RingPacket {
    /// The same as ``place(in:)``, with a fast path for nearly all packets. A packet that the host sends to itself may
    /// have a tag that has not been removed.
    @inline(__always)
    fileprivate func quickPlace(in payload: Span<UInt8>) throws(PacketFault) -> PacketPlace {
        if !isTagged && kind != UInt8(PACKET_OUTGOING) && (etherType == EtherType.ipv4 || etherType == EtherType.ipv6) {
            return PacketPlace(at: 0, LinkPath(interface: interface))
        }
        return try place(in: payload)
    }
}
