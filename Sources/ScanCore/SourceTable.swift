/// The sources that touched two ports or more, in fixed memory: a hash table whose entries are reused in the order they
/// were made. Those seen with one port only are in ``FirstTouches`` and can't push these out.
///
/// `bucketCount` is a power of two. A packet walks at most ``Parameters/collisionCap`` entries, once, whatever the
/// addresses: a source too many in a bucket puts out the oldest there. What the walk reads stands close together, apart
/// from the rest of the entries. All bytes zero is the empty table, if the key is zero too: memory that is zero need not
/// be written to become one.
///
/// All that reads the entries is mutating, also where it changes nothing: else the compiler (Swift 6.3) copies the
/// whole table.
public struct SourceTable<let capacity: Int, let bucketCount: Int>: ~Copyable {
    /// An index into the entries plus 1, or 0 for the end of a chain.
    typealias Link = UInt16

    private var heads = InlineArray<bucketCount, Link>(repeating: 0)
    var links = InlineArray<capacity, ChainLink>(repeating: ChainLink())
    private var entries = InlineArray<capacity, SourceEntry>(repeating: SourceEntry())
    private var nextToReuse = 0
    var key: HashKey

    /// How many sources are known now.
    public private(set) var held = 0

    /// How many sources had to make room for others before their time was over, since the start.
    public private(set) var evicted: UInt64 = 0

    /// An empty table.
    public init(key: HashKey) {
        self.key = key
    }

    /// Where a source is, or would be.
    struct Place {
        var hash: UInt32
        var bucket: Int
        /// Its entry, if it is known.
        var index: Int?
        /// The entries of the bucket that were passed on the way.
        var passed = 0
        /// The last of them, which is the oldest of the bucket if the source is not known.
        var last = 0
    }

    /// Looks for a source.
    mutating func find(_ source: Address) -> Place {
        let hash = key.hash(source)
        var place = Place(hash: hash, bucket: Int(hash) & (bucketCount - 1))
        var link = heads[place.bucket]
        while link != 0 {
            let index = Int(link) - 1
            if links[index].hash == hash && entries[index].report.source == source {
                place.index = index
                return place
            }
            place.passed += 1
            place.last = index
            link = links[index].next
        }
        return place
    }

    /// Lends the entry at the index of a ``Place``.
    @inline(__always)
    mutating func withEntry<Result>(_ index: Int, _ body: (inout SourceEntry) -> Result) -> Result {
        body(&entries[index])
    }

    /// Adds the entry of a source that isn't there, first in its bucket.
    mutating func insert(_ entry: SourceEntry, _ place: Place) {
        if place.passed >= Parameters.collisionCap { evict(place.last, for: entry) }
        let index = nextToReuse
        nextToReuse = index + 1 == capacity ? 0 : index + 1
        if links[index].isLinked { evict(index, for: entry) }
        entries[index] = entry
        let next = heads[place.bucket]
        links[index] = ChainLink(hash: place.hash, bucket: Link(place.bucket), next: next, isLinked: true)
        if next != 0 { links[Int(next) - 1].previous = Link(index + 1) }
        heads[place.bucket] = Link(index + 1)
        held += 1
    }

    /// Takes a source out. Its entry is not reused before its turn comes.
    mutating func remove(_ index: Int) {
        let link = links[index]
        if link.next != 0 { links[Int(link.next) - 1].previous = link.previous }
        if link.previous != 0 {
            links[Int(link.previous) - 1].next = link.next
        } else {
            heads[Int(link.bucket)] = link.next
        }
        links[index].isLinked = false
        held -= 1
    }

    private mutating func evict(_ index: Int, for entry: SourceEntry) {
        remove(index)
        if entry.lastNewPort.isWithin(Parameters.longestGap, after: entries[index].lastNewPort) {
            evicted &+= 1  // a counter that wraps is better than one that ends the daemon
        }
    }
}

/// Where an entry stands in its bucket's chain.
struct ChainLink: Sendable {
    /// The hash of its source, which tells nearly all others apart.
    var hash: UInt32 = 0
    var bucket: UInt16 = 0
    /// The neighbours, as links; 0 at the ends.
    var next: UInt16 = 0
    var previous: UInt16 = 0
    /// Whether it is on a chain: its source is known.
    var isLinked = false
}

/// What is known of a source.
struct SourceEntry: Sendable {
    var report: ScanReport
    /// When the last new port was touched.
    var lastNewPort: Timestamp
    /// What its ports weigh together.
    var weight: UInt8
}

extension SourceEntry {
    /// An entry that was never used, all zero.
    init() {
        let unspecified = Address(ipv6High: 0, low: 0)
        let nobody = Segment(
            source: unspecified, destination: unspecified, sourcePort: 0, destinationPort: 0,
            flags: TCPFlags.none, typeOfService: 0, timeToLive: 0)
        report = ScanReport(first: nobody, startTime: 0)
        report.ports = PortList()
        lastNewPort = Timestamp(nanoseconds: 0)
        weight = 0
    }
}

extension SourceTable {
    /// Whether this is the empty state, in which nothing ever was: for tests. What unused entries hold is never read.
    var isFresh: Bool {
        mutating get {
            for bucket in 0..<bucketCount where heads[bucket] != 0 { return false }
            for index in 0..<capacity where links[index].isLinked { return false }
            return nextToReuse == 0 && held == 0 && evicted == 0
        }
    }

    /// What is wrong with the table, or `nil`: for tests, which ask after every step.
    ///
    /// Every known source is on exactly one chain, its own; no chain is longer than the cap or leads in a circle.
    package var fault: String? {
        mutating get { findFault() }
    }

    private mutating func findFault() -> String? {
        var linked = 0
        for index in 0..<capacity where links[index].isLinked { linked += 1 }
        if linked != held { return "held differs from the linked entries" }
        var reached = 0
        for bucket in 0..<bucketCount {
            var length = 0
            var before: Link = 0
            var link = heads[bucket]
            while link != 0 {
                if Int(link) > capacity { return "a link leads out of the table" }
                if let fault = fault(of: Int(link) - 1, bucket: bucket, before: before) { return fault }
                length += 1
                if length > Parameters.collisionCap { return "a chain is too long" }
                before = link
                link = links[Int(link) - 1].next
            }
            reached += length
        }
        return reached == linked ? nil : "a linked entry is on no chain, or on two"
    }

    private mutating func fault(of index: Int, bucket: Int, before: Link) -> String? {
        let link = links[index]
        if !link.isLinked { return "an unused entry is on a chain" }
        if Int(link.bucket) != bucket { return "an entry is on a chain that is not its own" }
        if link.previous != before { return "an entry's neighbour before it is another one" }
        let hash = key.hash(entries[index].report.source)
        if link.hash != hash || Int(hash) & (bucketCount - 1) != bucket {
            return "an entry is in a bucket its address does not hash to"
        }
        return nil
    }
}
