/// Finds the ports of IPv6 packets whose extension headers go on beyond their first fragment.
///
/// Nobody honest sends those (RFC 7112), but Linux joins them, unless the first fragment ends within the TCP header. They
/// need not be joined here: of each such packet it is known which header comes next, and at which offset; the fragment
/// that holds that offset leads on, and in the end to the ports.
///
/// What the host drops leads to other places, of packets of the same name. So nothing that is known is given up for what
/// comes later: a fragment is followed from every place that is known for its name, over whichever link it came, and each
/// new place that it leads to is known besides. Fragments are kept, for they may come before their places are known.
///
/// Memory is fixed: 16 places for each of `lines`, as many fragments, and `room` bytes for these together. In each the
/// oldest makes room. A fragment is followed from ``mostSteps`` places in it at most that are known from the link that it
/// came over, and from as many others, the youngest first; ``ChainWork`` bounds what that takes, whatever arrives.
///
/// All bytes zero is the state in which nothing is known, if the key is zero too.
public struct SplitChains<let lines: Int, let room: Int>: ~Copyable {
    private var places = FragmentRing<lines, ChainPlace>(ChainPlace())
    private var early = FragmentRing<lines, KeptFragment>(KeptFragment())
    private var bytes = InlineArray<room, UInt8>(repeating: 0)
    /// How many bytes have been kept: more than there is room for, once it has been gone through.
    private var bytesKept = 0
    /// How many fragments have been kept, and how many of these are gone: the oldest.
    private var kept = 0
    private var gone = 0
    private var work = ChainWork()
    private var key: HashKey

    /// How many places and fragments made room for others before their time was over, and how many were too many to be
    /// followed, or took too long; since the start.
    public private(set) var evicted: UInt64 = 0

    /// How many places a fragment is followed from at most: more than anybody needs who does not want to be lost among them.
    static var mostSteps: Int { 64 }

    /// Nothing is known yet. The key must be secret, or fragments can be made to be taken for others', which takes time.
    public init(key: HashKey) {
        self.key = key
    }

    /// Gives its key to one in memory that is all zero.
    mutating func start(key: HashKey) {
        self.key = key
    }

    /// Follows the chain that a fragment of IPv6 is a part of.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - packet: what it was read from.
    ///   - now: when it arrived.
    ///   - emit: is given each probe whose ports become known by it, with the flags if they stand in the same fragment;
    ///     not that of a first fragment that holds the ports, which is known without this.
    /// - Returns: whether it may be of use later.
    mutating func follow(
        _ fragment: Fragment, of packet: Span<UInt8>, at now: Timestamp, _ emit: (Probe) -> Void
    ) -> Bool {
        let content = packet.extracting(fragment.data)
        let hash = fragment.name.hash(key) | 1  // 0 is nobody's
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
                if !place.isAlive(at: now) {  // for good, also if the clock goes back
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

    /// Takes note of new places, and follows the fragments that came before from each of them.
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

    /// Whether a place is known already. If so its time begins anew: what made it known first the host may have dropped.
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

    /// Keeps a fragment that may hold what is asked for later.
    private mutating func keep(_ fragment: Fragment, _ content: Span<UInt8>, _ hash: UInt32, at now: Timestamp) {
        let length = content.count
        var start = bytesKept
        if start % room + length > room { start += room - start % room }  // not across the end
        for index in 0..<length { bytes[start % room + index] = content[index] }
        bytesKept = start + length
        makeRoom(at: now)
        kept += 1
        early.append(
            KeptFragment(
                name: fragment.name, begin: now, range: fragment.offset..<fragment.offset + length, start: start), hash)
    }

    /// Lets go of the oldest fragments: those whose bytes have been written over, and one if there are too many.
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

/// A place in the part of a packet that was divided, at which a header is known to begin.
struct ChainPlace: FragmentRecord {
    var name = FragmentKey.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// What begins there: an ``IPProtocol``.
    private var header: UInt8 = 0
    /// Of the first fragment.
    private var typeOfService: UInt8 = 0
    private var timeToLive: UInt8 = 0
    /// In bytes from the beginning of that part.
    private(set) var offset = 0

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
        case ports(Probe)
        /// Another place, past its end.
        case further(ChainPlace)
        /// Nowhere.
        case nowhere
    }

    /// Whether it says the same as another one, whatever the type of service and the time to live.
    func isSame(as other: ChainPlace) -> Bool {
        offset == other.offset && header == other.header && name == other.name
    }

    /// Whether it is in the content of a fragment, which has an offset.
    func isIn(_ content: Span<UInt8>, at start: Int) -> Bool { start <= offset && offset < start + content.count }

    /// Follows the headers from here on in the content of a fragment, which has an offset.
    func followed(in content: Span<UInt8>, at start: Int, _ work: inout ChainWork) -> Lead {
        if !isIn(content, at: start) { return .nowhere }
        var chain = IPv6ExtensionHeaders(next: header, offset: offset - start, fragmentHeader: 0)
        defer { work.charge((min(chain.offset, content.count) - (offset - start)) / 8) }  // none is shorter
        do throws(PacketFault) {
            try chain.advanceToTransport(in: content)
            if content.hasTooShortTCPHeader(at: chain.offset) { return .nowhere }
            if chain.offset + 4 <= content.count {
                return .ports(
                    Probe(
                        source: name.source, destination: name.destination,
                        sourcePort: try content.uint16(at: chain.offset),
                        destinationPort: try content.uint16(at: chain.offset + 2),
                        transport: .tcp(TCPFlags(inHeaderAt: chain.offset, of: content)),
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
    var name = FragmentKey.nobody
    var begin = Timestamp(nanoseconds: 0)
    /// Where in the part that was divided its content belongs, in bytes.
    var range = 0..<0
    /// Which of all bytes that were kept is its first.
    var start = 0
}

/// How many steps may still be taken: what came over the same link, and what came over others, have as many each.
private struct StepBudget {
    private let path: LinkPath
    private var left: Int
    private var leftForOthers: Int
    /// How many were too many.
    private(set) var refused: UInt64 = 0

    init(for path: LinkPath, _ most: Int) {
        self.path = path
        left = most
        leftForOthers = most
    }

    /// Takes one step, if there is one left.
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

/// The places that a fragment has led to and that were not followed yet, in turn.
private struct ChainSteps {
    private var places = InlineArray<64, ChainPlace>(repeating: ChainPlace())
    private(set) var count = 0
    private var done = 0
    /// How many there was no room for.
    private(set) var refused: UInt64 = 0

    private mutating func append(_ place: ChainPlace) {
        if count - done == places.count {
            refused &+= 1
            return
        }
        places[count % places.count] = place
        count += 1
    }

    /// The next that was not followed yet.
    mutating func next() -> ChainPlace? {
        if done == count { return nil }
        done += 1
        return places[(done - 1) % places.count]
    }

    /// Follows a place into a fragment.
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
