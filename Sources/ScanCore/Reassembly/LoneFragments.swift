/// Counts the fragments of a capture file that may be of TCP segments, and whose packets have no beginning in it.
///
/// A packet is decided by its first fragment, in whatever order they come: the others of it are no loss. 1,024 packets are
/// kept at a time, each for a minute, and where one makes room for another its count is as it is then: a file that was made
/// to be counted wrongly is.
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

    /// None was seen.
    public init() {}

    /// Takes note of a packet, if it is a fragment.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on.
    ///   - path: over which link it came.
    ///   - isGiven: it gave a probe.
    ///   - fault: why it did not, if that is known.
    ///   - now: when it came.
    @inline(__always)
    public mutating func record(
        _ packet: Span<UInt8>, over path: LinkPath, isGiven: Bool, _ fault: PacketFault?, at now: Timestamp
    ) {
        if LoneFragments.canBeFragment(packet) { recordFragment(packet, over: path, isGiven, fault, at: now) }
    }

    /// Nearly all are none: they have TCP right behind the header, or are of IPv4 and whole.
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
        // Of a later one no fault decides what its packet is.
        if isGiven || fragment.offset == 0 && fault != nil && fault != .fragment { entry.isDecided = true }
        entry.fragments = entry.isDecided ? 0 : entry.fragments + 1
        entries[place] = entry
    }

    /// The fragment that a packet is, if it may be of a TCP segment.
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

    /// How many there are.
    public var count: UInt64 {
        var sum = counted
        for index in entries.indices { sum += entries[index].fragments }
        return sum
    }
}
