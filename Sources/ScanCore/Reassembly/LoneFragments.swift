/// Counts the fragments in a capture file that may be of TCP segments, and whose packets have no first fragment in it.
///
/// The first fragment decides about a packet, in whatever order the fragments come: the others are not counted as
/// missing. 1,024 packets are tracked at a time, each for a minute, and the count of an evicted packet is final: a
/// crafted file can be miscounted.
public struct LoneFragments: ~Copyable {
    private struct Entry {
        var name: UInt64 = 0
        var begin: Timestamp?
        var isDecided = false
        var fragments: UInt64 = 0
    }

    private var entries = InlineArray<1024, Entry>(repeating: Entry())
    private var counted: UInt64 = 0

    private static var lifetime: Int64 { 60_000_000_000 }
    private static var key: HashKey {
        HashKey([
            0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89,
            0x4528_21e6_38d0_1377,
        ])
    }

    /// Creates an empty counter.
    public init() {}

    /// Records a packet, if it is a fragment.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on.
    ///   - path: the link it came over.
    ///   - isGiven: whether it yielded a probe.
    ///   - fault: the reason why it did not, if that is known.
    ///   - now: when it arrived.
    @inline(__always)
    public mutating func record(
        _ packet: Span<UInt8>, over path: LinkPath, isGiven: Bool, _ fault: PacketFault?, at now: Timestamp
    ) {
        if LoneFragments.canBeFragment(packet) { recordFragment(packet, over: path, isGiven, fault, at: now) }
    }

    /// Nearly all packets are not: they have TCP right after the header, or are unfragmented IPv4.
    @inline(__always)
    private static func canBeFragment(_ packet: Span<UInt8>) -> Bool {
        do throws(PacketFault) {
            let header = try IPHeader(packet: packet)
            return header.source.isIPv4 ? header.part.isFragment : header.next != IPProtocol.tcp
        } catch {
            return false
        }
    }

    @inline(never)
    private mutating func recordFragment(
        _ packet: Span<UInt8>, over path: LinkPath, _ isGiven: Bool, _ fault: PacketFault?, at now: Timestamp
    ) {
        guard let fragment = LoneFragments.fragment(packet, over: path) else { return }
        let hash = fragment.name.hash(LoneFragments.key)
        let name = UInt64(hash) << 32 | UInt64(fragment.name.identification)
        let place = Int(hash % 1024)
        var entry = entries[place]
        let isAlive = entry.begin.map { now.isWithin(LoneFragments.lifetime, after: $0) } ?? false
        if !isAlive || entry.name != name {
            counted += entry.fragments
            entry = Entry(name: name, begin: now)
        }
        // The fault of a later fragment does not decide what its packet is.
        if isGiven || fragment.offset == 0 && fault != nil && fault != .fragment { entry.isDecided = true }
        entry.fragments = entry.isDecided ? 0 : entry.fragments + 1
        entries[place] = entry
    }

    /// Parses a packet as a fragment, if it may be of a TCP segment.
    private static func fragment(_ packet: Span<UInt8>, over path: LinkPath) -> Fragment? {
        do throws(PacketFault) {
            let fragment = try Fragment(packet: packet, over: path)
            let isIPv4 = fragment.name.source.isIPv4
            let isTCP = isIPv4 ? fragment.next == IPProtocol.tcp : canLeadToTransport(fragment.next)
            return isTCP ? fragment : nil
        } catch {
            return nil
        }
    }

    /// The number of fragments without a first fragment.
    public var count: UInt64 {
        mutating get {
            var sum = counted
            for index in entries.indices { sum += entries[index].fragments }
            return sum
        }
    }
}
