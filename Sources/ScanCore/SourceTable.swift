/// The sources seen lately, in fixed memory: a hash table whose entries are reused in the order they were made.
///
/// `bucketCount` is a power of two. Finding, adding and removing walk at most ``Parameters/collisionCap`` entries,
/// whatever the addresses: a source too many in a bucket puts out the oldest there.
public struct SourceTable<let capacity: Int, let bucketCount: Int>: ~Copyable {
    /// An index into the entries, or ``none``.
    public typealias Link = UInt16

    /// What ends a chain.
    static var none: Link { Link.max }

    private var heads = InlineArray<bucketCount, Link>(repeating: Link.max)
    private var entries = InlineArray<capacity, SourceEntry>(repeating: SourceEntry())
    private var nextToReuse = 0
    private let key: HashKey

    /// How many sources are known now.
    public private(set) var held = 0

    /// How many sources had to make room for others, since the start.
    public private(set) var evicted: UInt64 = 0

    /// An empty table.
    public init(key: HashKey) {
        self.key = key
    }

    /// Where a source is, or would be.
    struct Place {
        var bucket: Int
        var index: Int?
        /// How many entries of the bucket were passed on the way.
        var passed: Int
    }

    /// Looks for a source.
    func find(_ source: Address) -> Place {
        var place = Place(bucket: Int(key.hash(source)) & (bucketCount - 1), index: nil, passed: 0)
        var link = heads[place.bucket]
        while link != Self.none {
            if entries[Int(link)].report.source == source {
                place.index = Int(link)
                return place
            }
            place.passed += 1
            link = entries[Int(link)].next
        }
        return place
    }

    /// The entry at the index of a ``Place``.
    subscript(index: Int) -> SourceEntry {
        get { entries[index] }
        _modify { yield &entries[index] }
    }

    /// Adds a source that isn't there, first in its bucket.
    mutating func insert(_ report: ScanReport, weight: UInt8, at now: Timestamp, place: Place) {
        if place.passed >= Parameters.collisionCap { evict(last(of: place.bucket)) }
        let index = nextToReuse
        nextToReuse = index + 1 == capacity ? 0 : index + 1
        if entries[index].isLinked { evict(index) }
        entries[index] = SourceEntry(
            report: report, lastNewPort: now, weight: weight, isLinked: true,
            bucket: Link(place.bucket), next: heads[place.bucket])
        heads[place.bucket] = Link(index)
        held += 1
    }

    /// Takes a source out. Its entry is not reused before its turn comes.
    mutating func remove(_ index: Int) {
        let bucket = Int(entries[index].bucket)
        let next = entries[index].next
        if Int(heads[bucket]) == index {
            heads[bucket] = next
        } else {
            var before = Int(heads[bucket])
            while Int(entries[before].next) != index { before = Int(entries[before].next) }
            entries[before].next = next
        }
        entries[index].isLinked = false
        held -= 1
    }

    private mutating func evict(_ index: Int) {
        remove(index)
        evicted &+= 1  // a counter that wraps is better than one that ends the daemon
    }

    private func last(of bucket: Int) -> Int {
        var index = Int(heads[bucket])
        while entries[index].next != Self.none { index = Int(entries[index].next) }
        return index
    }
}

/// A source, and where it stands in its bucket.
struct SourceEntry: Sendable {
    var report: ScanReport
    /// When the last new port was touched.
    var lastNewPort: Timestamp
    /// What its ports weigh together.
    var weight: UInt8
    /// Whether it is in a bucket, and so known.
    var isLinked: Bool
    var bucket: UInt16
    var next: UInt16
}

extension SourceEntry {
    /// An entry that was never used.
    init() {
        let nobody = Segment(
            source: Address(ipv4: 0), destination: Address(ipv4: 0), sourcePort: 0, destinationPort: 0,
            flags: .none, typeOfService: 0, timeToLive: 0)
        self.init(
            report: ScanReport(first: nobody, startTime: 0), lastNewPort: Timestamp(nanoseconds: 0),
            weight: 0, isLinked: false, bucket: 0, next: .max)
    }
}

extension SourceTable {
    /// What is wrong with the table, or `nil`: for tests, which ask after every step.
    ///
    /// Every known source is on exactly one chain, its own; no chain is longer than the cap or leads in a circle.
    package var fault: String? {
        var linked = 0
        for index in 0..<capacity where entries[index].isLinked { linked += 1 }
        if linked != held { return "held differs from the linked entries" }
        var reached = 0
        for bucket in 0..<bucketCount {
            var length = 0
            var link = heads[bucket]
            while link != Self.none {
                if Int(link) >= capacity { return "a link leads out of the table" }
                let entry = entries[Int(link)]
                if !entry.isLinked { return "an unused entry is on a chain" }
                if Int(entry.bucket) != bucket { return "an entry is on a chain that is not its own" }
                if Int(key.hash(entry.report.source)) & (bucketCount - 1) != bucket {
                    return "an entry is in a bucket its address does not hash to"
                }
                length += 1
                if length > Parameters.collisionCap { return "a chain is too long" }
                link = entry.next
            }
            reached += length
        }
        return reached == linked ? nil : "a linked entry is on no chain, or on two"
    }
}
