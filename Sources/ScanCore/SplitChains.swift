/// Finds the ports of IPv6 packets whose extension headers go on beyond their first fragment.
///
/// Nobody honest sends those (RFC 7112), but Linux joins them, if each fragment but the last makes a packet of 1,280 bytes
/// and the first does not end within the TCP header. They need not be joined here: of each such packet it is known which
/// header comes next, and at which offset; the fragment that holds that offset leads on, and in the end to the ports.
///
/// What the host drops leads to other places, of packets of the same name. So nothing that is known is given up for what
/// comes later: a fragment is followed from every place that is known for its name, over whichever link it came, and each
/// new place that it leads to is known besides. Fragments are kept, for they may come before their places are known.
///
/// Memory is fixed: 16 places for each of `lines`, as many fragments, and `room` bytes for these together. In each the
/// oldest makes room. A fragment is followed from ``mostSteps`` places at most, the youngest first: so the work for it is
/// bounded, whatever arrives. All bytes zero is the state in which nothing is known, if the key is zero too.
public struct SplitChains<let lines: Int, let room: Int>: ~Copyable {
    private var places = FragmentRing<lines, ChainPlace>(ChainPlace())
    private var early = FragmentRing<lines, KeptFragment>(KeptFragment())
    private var bytes = InlineArray<room, UInt8>(repeating: 0)
    /// How many bytes have been kept: more than there is room for, once it has been gone through.
    private var bytesKept = 0
    private var key: HashKey

    /// How many places made room for others before their time was over, since the start.
    public private(set) var evicted: UInt64 = 0

    /// How many places a fragment is followed from at most: a packet of 65,535 bytes has 53 fragments that Linux joins.
    static var mostSteps: Int { 64 }

    /// Nothing is known yet. The key must be secret, or fragments can be made to be taken for others', which takes time.
    public init(key: HashKey) {
        self.key = key
    }

    /// Gives its key to one in memory that is all zero.
    mutating func start(key: HashKey) {
        self.key = key
    }

    /// Takes a fragment of IPv6.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - packet: what it was read from.
    ///   - now: when it arrived.
    ///   - tell: is given each segment whose ports become known by it, with the flags if they stand in the same fragment;
    ///     not that of a first fragment that holds the ports, which is known without this.
    mutating func take(_ fragment: Fragment, of packet: Span<UInt8>, at now: Timestamp, _ tell: (Segment) -> Void) {
        let content = packet.extracting(fragment.data)
        let hash = fragment.name.hash(key) | 1  // 0 is nobody's
        var steps = ChainSteps()
        if fragment.offset == 0 {
            if case .further(let place) = ChainPlace(start: fragment, at: now).followed(in: content, at: 0) {
                steps.append(place)
            }
        } else {
            var position = places.newest
            for _ in 0..<Self.mostSteps {
                guard let found = places.match(hash, from: &position) else { break }
                let place = places[found]
                if !place.isOf(fragment.name) { continue }
                if !place.isAlive(at: now) {  // for good, also if the clock goes back
                    places.forget(found)
                    continue
                }
                steps.follow(place, in: content, at: fragment.offset, tell)
            }
        }
        learn(&steps, hash, at: now, tell)
        if fragment.offset != 0 { keep(fragment, content, hash, at: now) }
    }

    /// Takes note of new places, and follows the fragments that came before from each of them.
    private mutating func learn(
        _ steps: inout ChainSteps, _ hash: UInt32, at now: Timestamp, _ tell: (Segment) -> Void
    ) {
        while let place = steps.next() {
            if renew(place, hash, at: now) { continue }
            if places.oldest(isAliveAt: now) { evicted &+= 1 }
            places.append(place, hash)
            var position = early.newest
            for _ in 0..<Self.mostSteps {
                guard let found = early.match(hash, from: &position) else { break }
                let kept = early[found]
                if !kept.isOf(place.name) { continue }
                if !kept.isAlive(at: now) || bytesKept - kept.start > room {
                    early.forget(found)
                    continue
                }
                let start = kept.start % room
                let content = bytes.span.extracting(start..<start + Int(kept.length))
                steps.follow(place, in: content, at: Int(kept.offset), tell)
            }
        }
    }

    /// Whether a place is known already. If so its time begins anew: what made it known first the host may have dropped.
    private mutating func renew(_ place: ChainPlace, _ hash: UInt32, at now: Timestamp) -> Bool {
        var position = places.newest
        for _ in 0..<Self.mostSteps {
            guard let found = places.match(hash, from: &position) else { return false }
            var known = places[found]
            if !known.isSame(as: place) || !known.isAlive(at: now) { continue }
            known.begin = max(known.begin, place.begin)
            places[found] = known
            return true
        }
        return false
    }

    /// Keeps a fragment that may hold what is asked for later.
    private mutating func keep(_ fragment: Fragment, _ content: Span<UInt8>, _ hash: UInt32, at now: Timestamp) {
        let length = content.count
        if length > room { return }
        var start = bytesKept
        if start % room + length > room { start += room - start % room }  // not across the end
        for index in 0..<length { bytes[start % room + index] = content[index] }
        bytesKept = start + length
        early.append(
            KeptFragment(
                name: fragment.name, begin: now, offset: UInt16(truncatingIfNeeded: fragment.offset),
                length: UInt16(truncatingIfNeeded: length), start: start), hash)
    }
}

/// A place in the part of a packet that was divided, at which a header is known to begin.
struct ChainPlace: FragmentRecord {
    var name = PacketName.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// What begins there: an ``IPProtocol``.
    private var header: UInt8 = 0
    /// Of the first fragment.
    private var typeOfService: UInt8 = 0
    private var timeToLive: UInt8 = 0
    /// In bytes from the beginning of that part.
    private var offset = 0

    /// A place of nobody's.
    init() {}

    /// The beginning of the part, as its first fragment has it.
    init(start fragment: Fragment, at now: Timestamp) {
        name = fragment.name
        begin = now
        header = fragment.next
        typeOfService = fragment.typeOfService
        timeToLive = fragment.timeToLive
    }

    /// Where a fragment leads from a place.
    enum Lead {
        /// It holds the ports.
        case ports(Segment)
        /// Another place, past its end.
        case further(ChainPlace)
        /// Nowhere.
        case nowhere
    }

    /// Whether it says the same as another one: whose link, type of service and time to live are no matter.
    func isSame(as other: ChainPlace) -> Bool {
        offset == other.offset && header == other.header && isOf(other.name)
    }

    /// Follows the headers from here on in the content of a fragment, which has an offset.
    func followed(in content: Span<UInt8>, at start: Int) -> Lead {
        if offset < start || offset >= start + content.count { return .nowhere }
        var chain = HeaderChain(next: header, offset: offset - start, fragmentHeader: 0)
        do throws(PacketFault) {
            try chain.walkToTCP(in: content)
            if chain.offset + 4 <= content.count {
                return .ports(
                    Segment(
                        source: name.source, destination: name.destination,
                        sourcePort: try content.uint16(at: chain.offset),
                        destinationPort: try content.uint16(at: chain.offset + 2),
                        flags: TCPFlags(inHeaderAt: chain.offset, of: content),
                        typeOfService: typeOfService, timeToLive: timeToLive))
            }
        } catch {
            if error != .truncated { return .nowhere }
        }
        var place = self
        place.header = chain.next
        place.offset = start + chain.offset
        return place.offset > offset ? .further(place) : .nowhere  // nowhere: the capture cut the fragment off
    }
}

/// A fragment that came before it was known what in it is asked for.
struct KeptFragment: FragmentRecord {
    var name = PacketName.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// Where in the part that was divided its content belongs, in bytes.
    var offset: UInt16 = 0
    var length: UInt16 = 0
    /// Which of all bytes that were kept is its first.
    var start = 0
}

/// The places that a fragment has led to and that were not followed yet.
private struct ChainSteps {
    private var places = InlineArray<64, ChainPlace>(repeating: ChainPlace())
    private var count = 0
    private var done = 0

    mutating func append(_ place: ChainPlace) {
        if count == places.count { return }
        places[count] = place
        count += 1
    }

    mutating func next() -> ChainPlace? {
        if done == count { return nil }
        done += 1
        return places[done - 1]
    }

    /// Follows a place into a fragment.
    mutating func follow(_ place: ChainPlace, in content: Span<UInt8>, at offset: Int, _ tell: (Segment) -> Void) {
        switch place.followed(in: content, at: offset) {
        case .ports(let segment): tell(segment)
        case .further(let place): append(place)
        case .nowhere: break
        }
    }
}
