/// The sources that touched two or more ports, in fixed memory: a hash table whose entries are also linked in the order
/// in which they last touched a new port. Sources seen with one port are in ``ProbationLog`` and can't evict these.
///
/// A new source takes a free entry, else one that was never used, else an expired one. If there is none, one that has
/// not expired is evicted, and counted: of the ``Parameters/evictionCandidates`` that have touched no new port for
/// longest, the one that touched the fewest. A reported source counts as if it had touched none: its scan is in the log
/// or will be named in a summary, and is detected again if it continues.
///
/// So a source is not evicted as long as fewer other sources than there are entries touch a new port between two of its
/// own new ports: to hide a scan, an attacker must send that many packets in each of its gaps, from new sources or from
/// known ones. The port count alone does not decide, or an attacker could keep the table full at little cost, with
/// sources that touch a port every three seconds. Nor does the order alone, or a scan of six ports would be evicted
/// before forged sources with two. Reported sources are not exempt from eviction, or an attacker could fill the table
/// with them for good.
///
/// `bucketCount` is a power of two. A packet visits at most ``Parameters/collisionCap`` entries, whatever the
/// addresses: in a full bucket one of its own entries is evicted, chosen in the same way. The fields that these walks
/// read are stored together, apart from the rest of the entries. An all-zero value is the empty table, if the key is
/// zero too: zeroed memory need not be written to become one.
///
/// Reading the entries is mutating, even if it changes nothing: otherwise the compiler (Swift 6.3) copies the whole
/// table.
public struct SourceTable<let capacity: Int, let bucketCount: Int>: ~Copyable {
    /// An index into the entries plus 1, or 0 for the end of a chain.
    typealias Link = UInt16

    private var heads = InlineArray<bucketCount, Link>(repeating: 0)
    var links = InlineArray<capacity, ChainLink>(repeating: ChainLink())
    private var entries = InlineArray<capacity, SourceEntry>(repeating: SourceEntry())
    /// The number of entries that were ever used: these are the first ones.
    private var everUsed = 0
    /// The head of the free list, which is linked through ``ChainLink/next``.
    private var firstFree: Link = 0
    /// The ends of the order in which sources last touched a new port.
    private var youngest: Link = 0
    private var oldest: Link = 0
    var key: HashKey

    /// The number of sources held.
    public private(set) var held = 0

    /// The number of sources evicted before they expired, since the start.
    public private(set) var evicted: UInt64 = 0

    /// The maximum number of entries examined for one eviction, so far: for tests.
    private(set) var mostExamined = 0

    /// An empty table.
    public init(key: HashKey) {
        self.key = key
    }

    /// Where a source is, or would be.
    struct Place {
        var hash: UInt32
        var bucket: Int
        /// Its entry, if it has one.
        var index: Int?
        /// The number of entries of the bucket visited before it.
        var passed = 0
    }

    /// Looks for a source.
    mutating func find(_ source: Address) -> Place { find(source, hash: key.hash(source)) }

    /// Looks for a source, by its hash too.
    @inline(__always)
    mutating func find(_ source: Address, hash: UInt32) -> Place {
        var place = Place(hash: hash, bucket: Int(hash) & (bucketCount - 1))
        var link = heads[place.bucket]
        while link != 0 {
            let index = Int(link) - 1
            if links[index].hash == hash && entries[index].report.source == source {
                place.index = index
                return place
            }
            place.passed += 1
            link = links[index].next
        }
        return place
    }

    /// Reads what ``find(_:hash:)`` begins with: see ``ProbeVector``.
    @inline(__always)
    mutating func load(_ hash: UInt32) -> UInt32 { UInt32(heads[Int(hash) & (bucketCount - 1)]) }

    /// Whether a source with this hash may be in the table.
    @inline(__always)
    mutating func mayHave(_ hash: UInt32) -> Bool {
        var link = heads[Int(hash) & (bucketCount - 1)]
        while link != 0 {
            let index = Int(link) - 1
            if links[index].hash == hash { return true }
            link = links[index].next
        }
        return false
    }

    /// Lends the entry at the index of a ``Place``.
    @inline(__always)
    mutating func withEntry<Result>(_ index: Int, _ body: (inout SourceEntry) -> Result) -> Result {
        body(&entries[index])
    }

    /// Records that a source has touched a new port: it becomes the youngest.
    @inline(__always)
    mutating func touch(_ index: Int) {
        if Int(youngest) == index + 1 { return }
        leaveOrder(index)
        becomeYoungest(index)
    }

    /// Inserts the entry of a new source, first in its bucket and youngest in the order; returns its index.
    @discardableResult
    mutating func insert(_ entry: SourceEntry, _ place: Place) -> Int {
        let now = entry.lastNewPort
        if place.passed >= Parameters.collisionCap { makeRoom(inBucket: place.bucket, at: now) }
        if firstFree == 0 && everUsed == capacity { makeRoom(at: now) }
        let index: Int
        if firstFree != 0 {
            index = Int(firstFree) - 1
            firstFree = links[index].next
        } else {
            index = everUsed
            everUsed += 1
        }
        entries[index] = entry
        let next = heads[place.bucket]
        links[index] = ChainLink(hash: place.hash, bucket: Link(place.bucket), next: next, isLinked: true)
        if next != 0 { links[Int(next) - 1].previous = Link(index + 1) }
        heads[place.bucket] = Link(index + 1)
        becomeYoungest(index)
        held += 1
        return index
    }

    /// Removes a source and frees its entry.
    mutating func remove(_ index: Int) {
        leaveOrder(index)
        let link = links[index]
        if link.next != 0 { links[Int(link.next) - 1].previous = link.previous }
        if link.previous != 0 {
            links[Int(link.previous) - 1].next = link.next
        } else {
            heads[Int(link.bucket)] = link.next
        }
        links[index] = ChainLink(next: firstFree)
        firstFree = Link(index + 1)
        held -= 1
    }

    // MARK: The order

    private mutating func leaveOrder(_ index: Int) {
        let (older, younger) = (links[index].older, links[index].younger)
        if older != 0 { links[Int(older) - 1].younger = younger } else { oldest = younger }
        if younger != 0 { links[Int(younger) - 1].older = older } else { youngest = older }
    }

    private mutating func becomeYoungest(_ index: Int) {
        links[index].older = youngest
        links[index].younger = 0
        if youngest != 0 { links[Int(youngest) - 1].younger = Link(index + 1) } else { oldest = Link(index + 1) }
        youngest = Link(index + 1)
    }

    // MARK: Eviction

    /// Evicts one of those that have touched no new port for longest, from a full table.
    private mutating func makeRoom(at now: Timestamp) {
        var choice = EvictionChoice()
        var link = oldest
        while link != 0 && choice.count < Parameters.evictionCandidates && !choice.isOutdated {
            choice.consider(entries[Int(link) - 1], Int(link) - 1, at: now, isYounger: true)
            link = links[Int(link) - 1].younger
        }
        evict(choice)
    }

    /// Evicts one entry of a full bucket.
    private mutating func makeRoom(inBucket bucket: Int, at now: Timestamp) {
        var choice = EvictionChoice()
        var link = heads[bucket]
        while link != 0 && !choice.isOutdated {
            choice.consider(entries[Int(link) - 1], Int(link) - 1, at: now, isYounger: false)
            link = links[Int(link) - 1].next
        }
        evict(choice)
    }

    private mutating func evict(_ choice: EvictionChoice) {
        mostExamined = max(mostExamined, choice.count)
        if !choice.isOutdated { evicted &+= 1 }  // wrapping is better than a trap that ends the daemon
        remove(choice.index)
    }
}

/// Selects which of some entries to evict: an expired one, else the one that touched the fewest ports, and among equals
/// the one that has touched none for longest.
private struct EvictionChoice {
    private(set) var index = 0
    private(set) var isOutdated = false
    /// The number of entries examined.
    private(set) var count = 0
    private var ports = Int.max
    private var lastNewPort = Timestamp(nanoseconds: .max)

    /// Examines one more entry.
    ///
    /// - Parameter isYounger: whether it is younger than those examined before, if it touched a port at the same time.
    @inline(__always)
    mutating func consider(_ entry: borrowing SourceEntry, _ index: Int, at now: Timestamp, isYounger: Bool) {
        count += 1
        let touched = entry.lastNewPort
        let ports = entry.isReported ? 0 : entry.report.ports.count
        isOutdated = !now.isWithin(Parameters.longestGap, after: touched)
        let isOlder = touched < lastNewPort || touched == lastNewPort && !isYounger
        let goesFirst = ports < self.ports || ports == self.ports && isOlder
        if !isOutdated && !goesFirst && count > 1 { return }
        self.index = index
        self.ports = ports
        lastNewPort = touched
    }
}

/// The links of an entry in its bucket's chain and in the order of all.
struct ChainLink: Sendable {
    /// The hash of its source, which distinguishes nearly all others.
    var hash: UInt32 = 0
    var bucket: UInt16 = 0
    /// The neighbours in the chain, as links; 0 at the ends. In a free entry, `next` links to the next free one.
    var next: UInt16 = 0
    var previous: UInt16 = 0
    /// The neighbours in the order in which new ports were touched, as links; 0 at the ends.
    var older: UInt16 = 0
    var younger: UInt16 = 0
    /// Whether it is on a chain, that is, in use.
    var isLinked = false
}

/// The state of a source.
struct SourceEntry: Sendable {
    var report: ScanReport
    /// When the last new port was touched.
    var lastNewPort: Timestamp
    /// The sum of the weights of its ports.
    var weight: UInt8
    /// The state of its report while the limiter suppresses reports.
    var suppression = Suppression()
    /// The last port that counted as a new one after the report.
    var lastPort: UInt16 = 0

    /// Whether it is a scan by the ports that it touched, and was reported as one, if these are what counts.
    var isReported: Bool { weight >= Parameters.weightThreshold }
}

extension SourceEntry {
    /// An entry that was never used, all zero.
    init() {
        report = ScanReport(first: .none, startTime: 0)
        report.ports = PortList()
        lastNewPort = Timestamp(nanoseconds: 0)
        weight = 0
    }
}

extension SourceTable {
    /// Whether the table was never used: for tests. The contents of unused entries are never read.
    var isFresh: Bool {
        mutating get {
            for bucket in 0..<bucketCount where heads[bucket] != 0 { return false }
            for index in 0..<capacity where links[index].isLinked { return false }
            return everUsed == 0 && firstFree == 0 && youngest == 0 && oldest == 0 && held == 0 && evicted == 0
        }
    }

    /// The first violated invariant of the table, or `nil`: for tests, which check it after every step.
    ///
    /// Every source is on exactly one chain, its own, and once in the order; no chain is longer than the cap or
    /// circular. Every entry that was used and no longer is, is on the free list once.
    package var fault: String? {
        mutating get { findFault() ?? findFaultOfOrder() ?? findFaultOfFree() }
    }

    private mutating func findFaultOfOrder() -> String? {
        var length = 0
        var before: Link = 0
        var link = oldest
        while link != 0 {
            length += 1
            if Int(link) > capacity || length > held { return "the order leads out of the table, or in a circle" }
            if !links[Int(link) - 1].isLinked { return "an unused entry is in the order" }
            if links[Int(link) - 1].older != before { return "an entry's neighbour in the order is another one" }
            before = link
            link = links[Int(link) - 1].younger
        }
        if before != youngest { return "the youngest is not the end of the order" }
        return length == held ? nil : "a known source is not in the order"
    }

    private mutating func findFaultOfFree() -> String? {
        var free = 0
        var link = firstFree
        while link != 0 {
            free += 1
            if Int(link) > everUsed || free > everUsed { return "the free entries lead too far, or in a circle" }
            if links[Int(link) - 1].isLinked { return "a known source's entry is free" }
            link = links[Int(link) - 1].next
        }
        return free + held == everUsed ? nil : "an entry is lost"
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
