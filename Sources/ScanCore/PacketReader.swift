/// Makes segments of packets, also of those that come in fragments.
public struct PacketReader: ~Copyable {
    private var fragments: Parameters.Fragments
    private let takesCutHeaders: Bool

    /// A reader that keeps no fragment yet.
    ///
    /// - Parameters:
    ///   - key: must be secret: see ``Defragmenter/init(key:)``.
    ///   - takesCutHeaders: a packet, or a first fragment, is a segment as soon as it holds the flags of the TCP header:
    ///     then what other fragments say does not count.
    public init(key: HashKey, takesCutHeaders: Bool = false) {
        self.takesCutHeaders = takesCutHeaders
        fragments = Parameters.Fragments(key: key)
    }

    /// Reads a packet that begins with its IPv4 or IPv6 header.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on, of any length, cut off anywhere: see ``Segment/init(packet:)``.
    ///   - now: when it arrived.
    /// - Returns: its segment, or that of the packet whose TCP header it makes whole, as a fragment; `nil` for a fragment
    ///   that is kept until others come, which is nothing to count yet.
    /// - Throws: why there is no segment in it; ``PacketFault/fragment`` for a fragment that adds nothing.
    @inline(__always)  // each segment would be copied twice on its way out: half the time of a packet
    public mutating func read(_ packet: Span<UInt8>, at now: Timestamp) throws(PacketFault) -> Segment? {
        do throws(PacketFault) {
            if try packet.uint8(at: 0) >> 4 == 4 { return try Segment(ipv4: packet) }
            return try Segment(packet: packet)
        } catch {
            if error != .fragment && error != .truncated { throw error }
            return try read(packet, after: error, at: now)
        }
    }

    /// How many fragmented packets had to make room for others before their headers were whole, since the start.
    public var fragmentedPacketsEvicted: UInt64 { fragments.evicted }

    @inline(never)  // rare, and large: not for the path of the other packets
    private mutating func read(
        _ packet: Span<UInt8>, after fault: PacketFault, at now: Timestamp
    ) throws(PacketFault) -> Segment? {
        if takesCutHeaders, let segment = try Segment(cutHeaderIn: packet) { return segment }
        if fault != .fragment { throw fault }
        return try fragments.take(packet, at: now)
    }
}
