/// The beginning of a packet that comes in fragments.
struct ReassemblyBuffer: FragmentRecord, Sendable {
    /// How many bytes of the fragmentable part are kept: the TCP header, after 44 bytes of extension headers.
    static let window = 64

    private(set) var name: FragmentKey

    /// When its first fragment came, of whatever offset.
    private(set) var begin: Timestamp

    /// What the fragment with offset 0 says; `nil` as long as it is missing.
    private var first: FirstFragment?

    private var bytes = InlineArray<64, UInt8>(repeating: 0)

    /// A bit for each byte, the first the lowest: whether it came. None in a packet that waits for nothing.
    private var present: UInt64 = 0

    /// What the fragment with offset 0 alone can say.
    private struct FirstFragment {
        var next: UInt8
        var typeOfService: UInt8
        var timeToLive: UInt8
    }
}

extension ReassemblyBuffer {
    /// A place where no packet ever was.
    init() {
        self.init(.nobody, at: Timestamp(nanoseconds: 0))
    }

    /// A packet none of whose fragments is in it yet.
    init(_ name: FragmentKey, at now: Timestamp) {
        self.name = name
        begin = now
    }

    /// Whether some of it came, and not yet all.
    var isWaiting: Bool { present != 0 }

    /// Gives it up if it waits in vain: it is too late or, on a clock that went back, too early.
    mutating func expire(at now: Timestamp) {
        if !isAlive(at: now) { present = 0 }
    }

    /// Puts a fragment in, which begins within the ``window``; see ``Defragmenter`` for what overlaps.
    ///
    /// - Returns: the probe, if this was the last fragment missing.
    /// - Throws: what is wrong with the headers; ``PacketFault/fragment`` if there are more than there is room for.
    mutating func add(_ fragment: Fragment, of packet: Span<UInt8>) throws(PacketFault) -> Probe? {
        let end = min(fragment.offset + fragment.data.count, Self.window)
        let all = UInt64.max >> (64 - end) & UInt64.max << fragment.offset
        let new = all & ~present
        if new == 0 { return nil }
        for index in fragment.offset..<end where new & 1 << index != 0 {
            bytes[index] = try packet.uint8(at: fragment.data.lowerBound + index - fragment.offset)
        }
        present |= new
        if fragment.offset == 0 && first == nil {
            first = FirstFragment(
                next: fragment.next, typeOfService: fragment.typeOfService, timeToLive: fragment.timeToLive)
        }
        let probe: Probe?
        do throws(PacketFault) {
            probe = try self.probe()
        } catch {
            present = 0
            throw error
        }
        if probe != nil || new != all { present = 0 }
        return probe
    }

    /// The probe, if its TCP header is whole.
    private func probe() throws(PacketFault) -> Probe? {
        guard let first else { return nil }
        let whole = bytes.span.extracting(0..<(~present).trailingZeroBitCount)
        var chain = IPv6ExtensionHeaders(next: first.next, offset: 0, fragmentHeader: 0)
        do throws(PacketFault) {
            try chain.advanceToTransport(in: whole)
        } catch {
            if error != .truncated { throw error }
        }
        if chain.offset + TCPHeader.length > Self.window { throw .fragment }
        if chain.next != IPProtocol.tcp || chain.offset + TCPHeader.length > whole.count { return nil }
        return try Probe(
            tcpHeader: whole, at: chain.offset, source: name.source, destination: name.destination,
            typeOfService: first.typeOfService, timeToLive: first.timeToLive)
    }
}
