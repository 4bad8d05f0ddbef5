/// The sources that tried two or more pairs of a class, in fixed memory: sets of eight.
///
/// Two bytes of the hash of each are kept apart from the rest: the packet of a source that is none reads one cache line
/// of them. A new one takes a place that is free or outdated, else that of the one with the fewest pairs, and among
/// these of the one that tried no new pair for longest. All zero is the empty table.
///
/// What is not private is only for ``fault(key:)``, and for the tests that break it.
struct CandidateTable<let setCount: Int>: ~Copyable {
    var tags = InlineArray<setCount, CandidateTags>(repeating: CandidateTags())
    var entries = InlineArray<setCount, InlineArray<8, Candidate>>(
        repeating: InlineArray<8, Candidate>(repeating: Candidate()))

    /// The number that were put out before they were outdated, since the start.
    private(set) var evicted: UInt64 = 0

    init() {}

    typealias Place = CandidatePlace

    /// Whether a candidate with this hash may be in the table.
    @inline(__always)
    func mayHave(_ hash: UInt32) -> Bool { tags[Self.set(hash)].contains(Self.tag(hash)) }

    /// Reads what ``mayHave(_:)`` reads: see ``ProbeVector``.
    @inline(__always)
    func load(_ hash: UInt32) -> UInt32 { UInt32(tags[Self.set(hash)][0]) }

    /// Looks for the candidate of an event's source and class that is not outdated.
    mutating func find(_ event: PairEvent, hash: UInt32, at now: UInt32) -> Place? {
        guard let place = findAny(event, hash: hash) else { return nil }
        return entries[place.set][place.way].isOutdated(at: now) ? nil : place
    }

    /// Looks for the candidate of an event's source and class, outdated or not.
    mutating func findAny(_ event: PairEvent, hash: UInt32) -> Place? {
        let set = Self.set(hash)
        var left = tags[set].ways(with: Self.tag(hash))
        while left != 0 {
            let way = left.trailingZeroBitCount
            if entries[set][way].isOf(event) { return Place(set: set, way: way) }
            left &= left &- 1
        }
        return nil
    }

    /// Lends the candidate at a place.
    @inline(__always)
    mutating func withEntry<Result>(_ place: Place, _ body: (inout Candidate) -> Result) -> Result {
        body(&entries[place.set][place.way])
    }

    /// Inserts the candidate of an event, without pairs. There must be none of its source, class and port that is not
    /// outdated.
    ///
    /// - Parameters:
    ///   - begun: when that was, in milliseconds.
    ///   - now: in milliseconds.
    mutating func insert(_ event: PairEvent, begun: UInt32, hash: UInt32, at now: UInt32) -> Place {
        let set = Self.set(hash)
        let place = Place(set: set, way: victim(in: set, for: event, at: now))
        if !entries[set][place.way].isOutdated(at: now) { evicted &+= 1 }
        tags[set][place.way] = Self.tag(hash)
        entries[set][place.way] = Candidate(event, at: begun)
        return place
    }

    /// The place in a set that a new candidate takes: that of its own, if it has an outdated one.
    private mutating func victim(in set: Int, for event: PairEvent, at now: UInt32) -> Int {
        var victim = 0
        var fewest = UInt8.max
        var longest = Int32.min
        for way in 0..<8 {
            if entries[set][way].isOf(event) { return way }
            let isOutdated = entries[set][way].isOutdated(at: now)
            let pairs = isOutdated ? 0 : entries[set][way].pairCount
            let age = Int32(bitPattern: now &- entries[set][way].lastPair)
            if pairs < fewest || pairs == fewest && age > longest {
                victim = way
                fewest = pairs
                longest = age
            }
        }
        return victim
    }

    @inline(__always)
    static func set(_ hash: UInt32) -> Int { Int(hash) & (setCount - 1) }

    /// Never 0, which is that of a free place.
    @inline(__always)
    static func tag(_ hash: UInt32) -> UInt16 { UInt16(truncatingIfNeeded: hash >> 17) | 1 }
}

/// A place in a ``CandidateTable``.
struct CandidatePlace: Sendable {
    var set: Int
    var way: Int
}

extension CandidateTable {
    /// Whether the table was never used: for tests.
    var isFresh: Bool {
        mutating get {
            for set in 0..<setCount where tags[set] != CandidateTags() { return false }
            return evicted == 0
        }
    }
}
