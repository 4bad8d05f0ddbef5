/// The sources that touched two ports or more, in fixed memory: a hash table whose entries are also in the order in
/// which they last touched a new port. Those seen with one port are in ``ProbationLog`` and can't push these out.
///
/// A source that comes takes an entry that is free, then one that was never used, then one whose time is over. When
/// there is none, one must go whose time is not over, and is counted: of the ``Parameters/evictionCandidates`` that
/// have touched no new port for longest the one that touched the fewest. A reported one counts as if it had touched
/// none: its scan is in the log or will be named, and is found again if it goes on.
///
/// So nobody is lost as long as fewer other sources than there are entries touch a new port between two new ports of
/// his: whoever wants to hide a scan must send that many packets in each of its gaps, be it from new sources or from
/// some that he keeps. Few ports alone do not decide, for then a forger would keep the table full at little cost, with
/// sources that touch a port every three seconds; nor the order alone, for then a scan of six ports would go before
/// forged sources of two. Reported ones are not spared, for else a forger would fill the table with them for ever.
///
/// `bucketCount` is a power of two. A packet walks at most ``Parameters/collisionCap`` entries, whatever the addresses:
/// in a full bucket one of its own makes room, chosen in the same way. What the walks read stands close together, apart
/// from the rest of the entries. All bytes zero is the empty table, if the key is zero too: memory that is zero need
/// not be written to become one.
///
/// All that reads the entries is mutating, also where it changes nothing: else the compiler (Swift 6.3) copies the
/// whole table.
public struct SourceTable<let capacity: Int, let bucketCount: Int>: ~Copyable {
    /// An index into the entries plus 1, or 0 for the end of a chain.
    typealias Link = UInt16

    private var heads = InlineArray<bucketCount, Link>(repeating: 0)
    var links = InlineArray<capacity, ChainLink>(repeating: ChainLink())
    private var entries = InlineArray<capacity, SourceEntry>(repeating: SourceEntry())
    /// How many entries were ever used: these are the first.
    private var everUsed = 0
    /// The first of those that are free again, which are chained through ``ChainLink/next``.
    private var firstFree: Link = 0
    /// The ends of the order in which sources last touched a new port.
    private var youngest: Link = 0
    private var oldest: Link = 0
    var key: HashKey

    /// How many sources are known now.
    public private(set) var held = 0

    /// How many sources had to make room for others before their time was over, since the start.
    public private(set) var evicted: UInt64 = 0

    /// The most entries that one packet has looked at to make room, so far: for tests.
    private(set) var mostExamined = 0

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
            link = links[index].next
        }
        return place
    }

    /// Lends the entry at the index of a ``Place``.
    @inline(__always)
    mutating func withEntry<Result>(_ index: Int, _ body: (inout SourceEntry) -> Result) -> Result {
        body(&entries[index])
    }

    /// Takes note that a source has touched a new port: it becomes the youngest.
    @inline(__always)
    mutating func touch(_ index: Int) {
        if Int(youngest) == index + 1 { return }
        leaveOrder(index)
        becomeYoungest(index)
    }

    /// Adds the entry of a source that isn't there, first in its bucket, and as the youngest; returns where it is.
    @discardableResult
    @_optimize(speed)  // with what it calls a good part of the time of a flood of sources with two ports
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

    /// Takes a source out: its entry is free.
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

    // MARK: Making room

    /// Puts out one of those that have touched no new port for longest, in a table that is full.
    @_optimize(speed)
    private mutating func makeRoom(at now: Timestamp) {
        var choice = EvictionChoice()
        var link = oldest
        while link != 0 && choice.count < Parameters.evictionCandidates && !choice.isOutdated {
            choice.consider(entries[Int(link) - 1], Int(link) - 1, at: now, isYounger: true)
            link = links[Int(link) - 1].younger
        }
        evict(choice)
    }

    /// Puts out one of a bucket that is full.
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
        if !choice.isOutdated { evicted &+= 1 }  // a counter that wraps is better than one that ends the daemon
        remove(choice.index)
    }
}

/// Which of some entries is to make room: one whose time is over, else the one that touched the fewest ports, and of
/// such the one that has touched none for longest.
private struct EvictionChoice {
    private(set) var index = 0
    private(set) var isOutdated = false
    /// How many entries were looked at.
    private(set) var count = 0
    private var ports = Int.max
    private var lastNewPort = Timestamp(nanoseconds: .max)

    /// Looks at one more.
    ///
    /// - Parameter isYounger: whether it came after those that were looked at, if it touched a port at the same time.
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

/// Where an entry stands in its bucket's chain, and in the order of all.
struct ChainLink: Sendable {
    /// The hash of its source, which tells nearly all others apart.
    var hash: UInt32 = 0
    var bucket: UInt16 = 0
    /// The neighbours in the chain, as links; 0 at the ends. Of a free entry, `next` is the next one that is free.
    var next: UInt16 = 0
    var previous: UInt16 = 0
    /// The neighbours in the order in which new ports were touched, as links; 0 at the ends.
    var older: UInt16 = 0
    var younger: UInt16 = 0
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
    /// What becomes of its report while the log is silent.
    var suppression = Suppression()
    /// The last port that counted as a new one after the report.
    var lastPort: UInt16 = 0

    /// Whether it is a scan, and was reported as one.
    var isReported: Bool { weight >= Parameters.weightThreshold }
}

extension SourceEntry {
    /// An entry that was never used, all zero.
    init() {
        let unspecified = Address(ipv6High: 0, low: 0)
        let nobody = Probe(
            source: unspecified, destination: unspecified, sourcePort: 0, destinationPort: 0,
            transport: .tcp(TCPFlags.none), typeOfService: 0, timeToLive: 0)
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
            return everUsed == 0 && firstFree == 0 && youngest == 0 && oldest == 0 && held == 0 && evicted == 0
        }
    }

    /// What is wrong with the table, or `nil`: for tests, which ask after every step.
    ///
    /// Every known source is on exactly one chain, its own, and once in the order; no chain is longer than the cap or
    /// leads in a circle. Every entry that was used and isn't any more is free, once.
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
