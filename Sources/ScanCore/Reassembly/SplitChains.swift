/// Finds the ports of IPv6 packets whose extension header chain continues past the first fragment.
///
/// RFC 7112 forbids such packets, but Linux reassembles them, unless the first fragment ends within the TCP header.
/// They need not be reassembled here: for each such packet the type and offset of the next header are stored; the
/// fragment that covers that offset leads to the following header, and in the end to the ports.
///
/// Fragments that the host drops may lead to other places in packets with the same key. So no known place is discarded
/// for a later one: a fragment is followed from every known place with its key, over whichever link it came, and each
/// place that it leads to is added. Fragments are stored, because they may arrive before their places are known.
///
/// Memory is fixed: 16 places for each of `lines`, as many fragments, and `room` bytes for the contents of these. In
/// each the oldest is evicted. A fragment is followed from at most ``mostSteps`` places in it that are known from its
/// own link, and from as many of other links, the youngest first; ``ChainWork`` bounds the work, whatever arrives.
///
/// An all-zero value is the empty state, if the key is zero too.
public struct SplitChains<let lines: Int, let room: Int>: ~Copyable {
    private var places = FragmentRing<lines, ChainPlace>(ChainPlace())
    private var early = FragmentRing<lines, KeptFragment>(KeptFragment())
    private var bytes = InlineArray<room, UInt8>(repeating: 0)
    /// The number of bytes stored so far: it exceeds `room` once the buffer has wrapped.
    private var bytesKept = 0
    /// The number of fragments stored so far, and the number of these that were evicted: the oldest.
    private var kept = 0
    private var gone = 0
    private var work = ChainWork()
    private var key: HashKey

    /// The number of places and fragments evicted before they expired, and of those not followed because of the limits
    /// on steps or work; since the start.
    public private(set) var evicted: UInt64 = 0

    /// The maximum number of places that a fragment is followed from: more than any legitimate packet needs.
    static var mostSteps: Int { 64 }

    /// Creates an empty state. The key must be secret, or an attacker can make fragments collide with others, which
    /// costs time.
    public init(key: HashKey) {
        self.key = key
    }

    /// Sets the key of an all-zero value.
    mutating func start(key: HashKey) {
        self.key = key
    }

    /// Follows the header chain through a fragment of IPv6.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - packet: the packet that holds the fragment.
    ///   - now: when it arrived.
    ///   - emit: receives each probe whose ports become known, with the flags if the same fragment holds them; not the
    ///     probe of a first fragment that holds the ports, which the caller has already.
    /// - Returns: whether it was stored for later fragments.
    mutating func follow(
        _ fragment: Fragment, of packet: Span<UInt8>, at now: Timestamp, _ emit: (Probe) -> Void
    ) -> Bool {
        let content = packet.extracting(fragment.data)
        let hash = fragment.name.hash(key) | 1  // 0 marks an unused slot
        var steps = ChainSteps()
        var work = self.work
        work.begin(at: now)
        if fragment.offset == 0 {
            steps.follow(ChainPlace(start: fragment, at: now), in: content, at: 0, &work) { _ in }
        } else {
            var budget = StepBudget(for: fragment.name.path, Self.mostSteps)
            var position = places.newest
            while !work.isOver, let found = places.match(hash, from: &position) {
                work.charge(1)
                let place = places[found]
                if !place.isOf(fragment.name) || !place.isIn(content, at: fragment.offset) { continue }
                if !place.isAlive(at: now) {  // for good, even if the clock goes back
                    places.forget(found)
                } else if budget.spend(on: place.name.path) {
                    steps.follow(place, in: content, at: fragment.offset, &work, emit)
                }
            }
            evicted &+= budget.refused
        }
        learn(&steps, hash, at: now, &work, emit)
        evicted &+= steps.refused
        if work.isOver { evicted &+= 1 }
        self.work = work
        if fragment.offset != 0 { keep(fragment, content, hash, at: now) }
        return fragment.offset != 0 || steps.count > 0
    }

    /// Stores new places, and follows earlier fragments from each of them.
    private mutating func learn(
        _ steps: inout ChainSteps, _ hash: UInt32, at now: Timestamp, _ work: inout ChainWork,
        _ emit: (Probe) -> Void
    ) {
        while let place = steps.next() {
            work.charge(ChainWork.search)
            if renew(place, hash, at: now, &work) { continue }
            if places.holdsAlive(places.next, at: now) { evicted &+= 1 }
            places.append(place, hash)
            var budget = StepBudget(for: place.name.path, Self.mostSteps)
            var position = early.newest
            while !work.isOver, let found = early.match(hash, from: &position) {
                work.charge(1)
                let kept = early[found]
                if !kept.isOf(place.name) || !kept.range.contains(place.offset) { continue }
                if !kept.isAlive(at: now) {
                    early.forget(found)
                } else if budget.spend(on: kept.name.path) {
                    let start = kept.start % room
                    let content = bytes.span.extracting(start..<start + kept.range.count)
                    steps.follow(place, in: content, at: kept.range.lowerBound, &work, emit)
                }
            }
            evicted &+= budget.refused
        }
    }

    /// Whether a place is already known. If so its lifetime is renewed: the host may have dropped the fragment that it
    /// was first known from.
    private mutating func renew(
        _ place: ChainPlace, _ hash: UInt32, at now: Timestamp, _ work: inout ChainWork
    ) -> Bool {
        var position = places.newest
        while !work.isOver, let found = places.match(hash, from: &position) {
            work.charge(1)
            var known = places[found]
            if !known.isSame(as: place) || !known.isAlive(at: now) { continue }
            known.begin = max(known.begin, place.begin)
            places[found] = known
            return true
        }
        return false
    }

    /// Stores a fragment that may hold a header found later.
    private mutating func keep(_ fragment: Fragment, _ content: Span<UInt8>, _ hash: UInt32, at now: Timestamp) {
        let length = content.count
        var start = bytesKept
        if start % room + length > room { start += room - start % room }  // contiguous: not across the end
        for index in 0..<length { bytes[start % room + index] = content[index] }
        bytesKept = start + length
        makeRoom(at: now)
        kept += 1
        early.append(
            KeptFragment(
                name: fragment.name, begin: now, range: fragment.offset..<fragment.offset + length, start: start), hash)
    }

    /// Evicts the oldest fragments: those whose bytes have been overwritten, and one if there are too many.
    private mutating func makeRoom(at now: Timestamp) {
        let capacity = lines * 16
        while gone < kept && (kept - gone == capacity || bytesKept - early[gone % capacity].start > room) {
            let oldest = gone % capacity
            if early.holdsAlive(oldest, at: now) { evicted &+= 1 }
            early.forget(oldest)
            gone += 1
        }
    }
}

/// A place in the fragmentable part of a packet at which a header is known to begin.
struct ChainPlace: FragmentRecord {
    var name = FragmentKey.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// The type of the header: an ``IPProtocol``.
    private var header: UInt8 = 0
    /// Of the first fragment.
    private var typeOfService: UInt8 = 0
    private var timeToLive: UInt8 = 0
    /// The offset in bytes from the start of the fragmentable part.
    private(set) var offset = 0

    /// An unused place.
    init() {}

    /// The start of the fragmentable part, from the first fragment.
    init(start fragment: Fragment, at now: Timestamp) {
        name = fragment.name
        begin = now
        header = fragment.next
        typeOfService = fragment.typeOfService
        timeToLive = fragment.timeToLive
    }

    /// The result of following a place through a fragment.
    enum Lead {
        /// It holds the ports.
        case ports(Probe)
        /// The chain continues at another place, past its end.
        case further(ChainPlace)
        /// The chain does not continue.
        case nowhere
    }

    /// Whether it is the same place as another one, regardless of type of service and time to live.
    func isSame(as other: ChainPlace) -> Bool {
        offset == other.offset && header == other.header && name == other.name
    }

    /// Whether it is in the content of a fragment at an offset.
    func isIn(_ content: Span<UInt8>, at start: Int) -> Bool { start <= offset && offset < start + content.count }

    /// Follows the headers from this place through the content of a fragment at an offset.
    func followed(in content: Span<UInt8>, at start: Int, _ work: inout ChainWork) -> Lead {
        if !isIn(content, at: start) { return .nowhere }
        var chain = IPv6ExtensionHeaders(next: header, offset: offset - start, fragmentHeader: 0)
        defer { work.charge((min(chain.offset, content.count) - (offset - start)) / 8) }  // 8 bytes or more each
        do throws(PacketFault) {
            try chain.advanceToTransport(in: content)
            if content.hasTooShortTCPHeader(at: chain.offset) { return .nowhere }
            if chain.offset + 4 <= content.count {
                var probe = Probe(
                    source: name.source, destination: name.destination,
                    sourcePort: try content.uint16(at: chain.offset),
                    destinationPort: try content.uint16(at: chain.offset + 2),
                    transport: .tcp(TCPFlags(inHeaderAt: chain.offset, of: content)),
                    typeOfService: typeOfService, timeToLive: timeToLive)
                try probe.readNumbers(in: content, at: chain.offset)
                return .ports(probe)
            }
        } catch {
            if error != .truncated { return .nowhere }
        }
        var place = self
        place.header = chain.next
        place.offset = start + chain.offset
        return place.offset > offset ? .further(place) : .nowhere  // nowhere: the capture is truncated
    }
}

/// A fragment that arrived before the places in it were known.
struct KeptFragment: FragmentRecord {
    var name = FragmentKey.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// The range of its content in the fragmentable part, in bytes.
    var range = 0..<0
    /// The index of its first byte among all bytes stored so far.
    var start = 0
}

/// The remaining steps: fragments of the same link, and of other links, have as many each.
private struct StepBudget {
    private let path: LinkPath
    private var left: Int
    private var leftForOthers: Int
    /// The number of steps refused.
    private(set) var refused: UInt64 = 0

    init(for path: LinkPath, _ most: Int) {
        self.path = path
        left = most
        leftForOthers = most
    }

    /// Takes one step, if the budget allows it.
    mutating func spend(on other: LinkPath) -> Bool {
        if other == path && left > 0 {
            left -= 1
        } else if other != path && leftForOthers > 0 {
            leftForOthers -= 1
        } else {
            refused &+= 1
            return false
        }
        return true
    }
}

/// The queue of places found that were not followed yet.
private struct ChainSteps {
    private var places = InlineArray<64, ChainPlace>(repeating: ChainPlace())
    private(set) var count = 0
    private var done = 0
    /// The number of places dropped because the queue was full.
    private(set) var refused: UInt64 = 0

    private mutating func append(_ place: ChainPlace) {
        if count - done == places.count {
            refused &+= 1
            return
        }
        places[count % places.count] = place
        count += 1
    }

    /// The next place to follow.
    mutating func next() -> ChainPlace? {
        if done == count { return nil }
        done += 1
        return places[(done - 1) % places.count]
    }

    /// Follows a place through a fragment.
    mutating func follow(
        _ place: ChainPlace, in content: Span<UInt8>, at offset: Int, _ work: inout ChainWork,
        _ emit: (Probe) -> Void
    ) {
        switch place.followed(in: content, at: offset, &work) {
        case .ports(let probe): emit(probe)
        case .further(let place): append(place)
        case .nowhere: break
        }
    }
}
