/// Extracts probes from packets, including fragmented ones.
///
/// Packets that a host drops must never hide one that it accepts. So no stored fragment decides whether a port counts:
///
/// - A first fragment that holds the ports counts at once, and by its own bytes, whatever other fragments with its
///   identification contain. Legitimate senders put the whole TCP header into it (RFC 1858, RFC 3128, RFC 7112).
/// - If it ends before the flags, these are learnt from the fragment that holds them: then the probe is emitted again,
///   with flags. See ``Defragmenter``.
/// - A first fragment of IPv6 may end before all its extension headers do. Linux reassembles even that, and
///   ``SplitChains`` follows it.
///
/// It takes 3 MiB, too much for a stack. So it is created in all-zero memory, whose pages the kernel allocates on first
/// write: see ``start(key:takesCutHeaders:)``.
public struct ProbeReader: ~Copyable {
    private var fragments: Parameters.Fragments
    private var chains: Parameters.Chains
    private var takesCutHeaders: Bool

    /// The number of fragments stored until others arrive, since the start.
    public private(set) var fragmentsKept: UInt64

    /// Initialises a reader in all-zero memory.
    ///
    /// - Parameters:
    ///   - key: must be secret: see ``Defragmenter/init(key:)``.
    ///   - takesCutHeaders: whether a packet truncated by the capture counts as a probe if it holds the flags. If so,
    ///     flags only matter in first fragments that hold them, and are not learnt from others.
    public mutating func start(key: HashKey, takesCutHeaders: Bool = false) {
        self.takesCutHeaders = takesCutHeaders
        fragments.start(key: key)
        chains.start(key: key)
    }

    /// Parses a packet that begins with its IPv4 or IPv6 header.
    ///
    /// - Parameters:
    ///   - packet: the packet from its IP header on, of any length, possibly truncated: see ``Probe/init(packet:)``.
    ///   - path: the link it came over.
    ///   - now: when it arrived.
    ///   - emit: receives its probe; for a fragment, the probes that it completes, which may be several. A fragment
    ///     that is stored until others arrive yields none yet.
    /// - Throws: the reason why it yields no probe; ``PacketFault/fragment`` for a fragment that adds nothing.
    @inline(__always)  // otherwise each probe is copied twice on return: half the time of a packet
    public mutating func read(
        _ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, _ emit: (Probe) -> Void
    ) throws(PacketFault) {
        if try Probe.isPlain(packet) {
            emit(try Probe(plain: packet))
        } else {
            try readOther(packet, over: path, at: now, emit)
        }
    }

    @inline(never)  // rare, and large: kept out of the path of other packets
    private mutating func readOther(
        _ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, _ emit: (Probe) -> Void
    ) throws(PacketFault) {
        do throws(PacketFault) {
            emit(try Probe(packet: packet))
        } catch {
            if error != .fragment && error != .truncated { throw error }
            try read(packet, over: path, after: error, at: now, emit)
        }
    }

    /// The number of fragmented packets evicted before their headers were complete, since the start.
    public var fragmentedPacketsEvicted: UInt64 { fragments.evicted &+ chains.evicted }

    private mutating func read(
        _ packet: Span<UInt8>, over path: LinkPath, after fault: PacketFault, at now: Timestamp,
        _ emit: (Probe) -> Void
    ) throws(PacketFault) {
        if fault == .truncated {
            guard takesCutHeaders, let cut = try Probe(beginningIn: packet), cut.flags != nil else { throw fault }
            return emit(cut)
        }
        let fragment = try Fragment(packet: packet, over: path)
        // Without the bytes that hosts trim.
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
            // Otherwise it has been counted, or is stored for later fragments.
            if !isEmitted && !(isKept && error == .fragment) { throw error }
        }
        if isKept { fragmentsKept &+= 1 }
    }
}
