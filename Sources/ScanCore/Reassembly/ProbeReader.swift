/// Reads packets as probes, also of those that come in fragments.
///
/// What a host takes must never be hidden by what it drops. So nothing that is kept here decides whether a port counts:
///
/// - A first fragment that holds the ports counts at once, and by its own bytes, whatever others say that have its
///   identification. Nobody honest sends one that does not hold the whole TCP header (RFC 1858, RFC 3128, RFC 7112).
/// - Its flags, where it ends before them, are learnt when the fragment that holds them comes: then the probe is given
///   once more, with them. See ``Defragmenter``.
/// - A first fragment of IPv6 may end before all its extension headers do. Linux joins even that, and so does
///   ``SplitChains``.
///
/// It takes 3 MiB, too much for a stack. So it is made of memory that is all zero, a page of which the kernel gives when it
/// is first written to: see ``start(key:takesCutHeaders:)``.
public struct ProbeReader: ~Copyable {
    private var fragments: Parameters.Fragments
    private var chains: Parameters.Chains
    private var takesCutHeaders: Bool

    /// How many fragments were kept until others come, since the start.
    public private(set) var fragmentsKept: UInt64

    /// Makes a reader of memory that is all zero.
    ///
    /// - Parameters:
    ///   - key: must be secret: see ``Defragmenter/init(key:)``.
    ///   - takesCutHeaders: a packet that was cut short by whoever captured it is a probe if it holds the flags. Then
    ///     flags matter in first fragments only that hold them, and are not learnt from others.
    public mutating func start(key: HashKey, takesCutHeaders: Bool = false) {
        self.takesCutHeaders = takesCutHeaders
        fragments.start(key: key)
        chains.start(key: key)
    }

    /// Reads a packet that begins with its IPv4 or IPv6 header.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on, of any length, cut off anywhere: see ``Probe/init(packet:)``.
    ///   - path: over which link it came.
    ///   - now: when it arrived.
    ///   - emit: is given its probe; of a fragment, what it makes known, which may be more than one probe. A fragment
    ///     that is kept until others come makes nothing known yet.
    /// - Throws: why there is no probe in it; ``PacketFault/fragment`` for a fragment that adds nothing.
    @inline(__always)  // each probe would be copied twice on its way out: half the time of a packet
    public mutating func read(
        _ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, _ emit: (Probe) -> Void
    ) throws(PacketFault) {
        do throws(PacketFault) {
            if try IPVersion(of: packet) == .ipv4 {
                emit(try Probe(ipv4: packet))
            } else {
                emit(try Probe(packet: packet))
            }
        } catch {
            if error != .fragment && error != .truncated { throw error }
            try read(packet, over: path, after: error, at: now, emit)
        }
    }

    /// How many fragmented packets had to make room for others before their headers were whole, since the start.
    public var fragmentedPacketsEvicted: UInt64 { fragments.evicted &+ chains.evicted }

    @inline(never)  // rare, and large: not for the path of the other packets
    private mutating func read(
        _ packet: Span<UInt8>, over path: LinkPath, after fault: PacketFault, at now: Timestamp,
        _ emit: (Probe) -> Void
    ) throws(PacketFault) {
        if fault == .truncated {
            guard takesCutHeaders, let cut = try Probe(beginningIn: packet), cut.flags != nil else { throw fault }
            return emit(cut)
        }
        let fragment = try Fragment(packet: packet, over: path)
        // Without what hosts cut off.
        let beginning = try Probe(beginningIn: packet.extracting(..<fragment.data.upperBound))
        if let beginning { emit(beginning) }
        if beginning?.flags != nil { return }
        let isIPv4 = fragment.name.source.isIPv4
        var isEmitted = beginning != nil
        var isKept = false
        if !isIPv4 {
            isKept = chains.follow(fragment, of: packet, at: now) { probe in
                emit(probe)
                isEmitted = true
            }
        }
        do throws(PacketFault) {
            if takesCutHeaders { throw .fragment }
            if let probe = try fragments.join(fragment, of: packet, at: now) {
                emit(probe)
                return
            }
            isKept = true
        } catch {
            // Else it has been counted, or is kept for what comes.
            if !isEmitted && !(isKept && error == .fragment) { throw error }
        }
        if isKept { fragmentsKept &+= 1 }
    }
}
