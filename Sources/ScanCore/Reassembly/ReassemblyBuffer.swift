/// The beginning of a fragmented packet.
struct ReassemblyBuffer: FragmentRecord, Sendable {
    /// The number of bytes of the fragmentable part that are stored: the TCP header, after 44 bytes of extension
    /// headers.
    static let window = 64

    private(set) var name: FragmentKey

    /// When its first fragment arrived, whatever its offset.
    private(set) var begin: Timestamp

    /// The fields of the fragment with offset 0; `nil` while it is missing.
    private var first: FirstFragment?

    private var bytes = InlineArray<64, UInt8>(repeating: 0)

    /// A bit for each byte received, the first byte in the lowest bit; 0 in an unused buffer.
    private var present: UInt64 = 0

    /// The fields that only the fragment with offset 0 determines.
    private struct FirstFragment {
        var next: UInt8
        var typeOfService: UInt8
        var timeToLive: UInt8
    }
}

extension ReassemblyBuffer {
    /// An unused buffer.
    init() {
        self.init(.nobody, at: Timestamp(nanoseconds: 0))
    }

    /// Creates a buffer for a packet, without fragments yet.
    init(_ name: FragmentKey, at now: Timestamp) {
        self.name = name
        begin = now
    }

    /// Whether some of it was received, but not yet all.
    var isWaiting: Bool { present != 0 }

    /// Discards it if it has expired or, on a clock that went back, begins in the future.
    mutating func expire(at now: Timestamp) {
        if !isAlive(at: now) { present = 0 }
    }

    /// Adds a fragment that begins within the ``window``; see ``Defragmenter`` about overlaps.
    ///
    /// - Returns: the probe, if this was the last missing fragment.
    /// - Throws: the fault of the headers; ``PacketFault/fragment`` if the extension headers don't fit into the window.
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

    /// The probe, if the TCP header is complete.
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
