/// The scans that have been reported and are not over, at most 32: what each has touched so far.
///
/// A scan is over when its source has touched no new port and host for as long as its kind says. If there is no room, the
/// one that has touched nothing new for longest is given up. Ports are counted exactly. Hosts are known by their hashes of
/// 32 bits, up to ``mostHosts``. All zero is empty, and only the part that is used is touched.
struct ScanEnds: ~Copyable {
    private var records = InlineArray<32, ScanRecord>(repeating: ScanRecord())
    private var ports = InlineArray<32, PortMap>(repeating: PortMap())
    private var hosts = InlineArray<32, HostSet>(repeating: HostSet())

    /// A bit for each record in use.
    private var used: UInt32 = 0

    /// Whether any scan is followed: if not, no packet has to be looked at.
    @inline(__always)
    var isActive: Bool {
        mutating get { used != 0 }
    }

    /// How many scans are followed at a time.
    static var capacity: Int { 32 }
    /// How many hosts of a scan are told apart.
    static var mostHosts: Int { HostSet.most }

    init() {}

    /// Follows a scan that is being reported, unless it is followed already.
    ///
    /// - Parameters:
    ///   - end: what is known of it; it ends now.
    ///   - name: what its packets have in common.
    ///   - lifetime: for how long nothing new must come until it is over, in nanoseconds.
    ///   - level: of its report.
    /// - Returns: whether it was not followed before, and the one that had to be given up for it if there was no room.
    mutating func begin(
        _ end: ScanEnd, _ name: ScanName, for lifetime: Int64, level: Int32, at now: Timestamp
    ) -> (began: Bool, givenUp: (end: ScanEnd, level: Int32)?) {
        if index(of: name) != nil { return (false, nil) }
        var place = (~used).trailingZeroBitCount
        var givenUp: (end: ScanEnd, level: Int32)?
        if place == ScanEnds.capacity {
            place = quietest()
            var end = remove(place)
            end.end.isGoingOn = true
            givenUp = end
        }
        records[place] = ScanRecord(end, name, lifetime: lifetime, level: level, at: now)
        used |= 1 << UInt32(place)
        return (true, givenUp)
    }

    /// Counts a pair that a scan is known to have tried before it was reported.
    ///
    /// - Parameter hostTag: the 15 low bits of the hash of its host.
    mutating func add(port: UInt16, hostTag: UInt16, to name: ScanName) {
        guard let place = index(of: name) else { return }
        _ = insert(port, at: place)
        _ = count(hosts[place].insert(tag: hostTag), at: place)
        records[place].end.packets.add()
    }

    /// Records that more was tried than is known.
    mutating func markIncomplete(_ name: ScanName, ports: Bool, hosts: Bool) {
        guard let place = index(of: name) else { return }
        if ports { records[place].end.ports.isLeast = true }
        if hosts { records[place].end.hosts.isLeast = true }
        records[place].end.packets.isLeast = true
    }

    /// Counts a packet of a scan, if it is followed.
    @inline(never)
    mutating func count(port: UInt16, host: UInt32, of name: ScanName, at now: Timestamp) {
        guard let place = index(of: name) else { return }
        let isNewPort = insert(port, at: place)
        let isNewHost = count(hosts[place].insert(hash: host), at: place)
        records[place].end.packets.add()
        records[place].record(at: now, isNew: isNewPort || isNewHost)
    }

    /// Counts a port, unless it is known; whether it is new. A ping has none.
    private mutating func insert(_ port: UInt16, at place: Int) -> Bool {
        if records[place].end.kind == .ping || ports[place].contains(port) { return false }
        ports[place].insert(port)
        records[place].end.ports.add()
        return true
    }

    /// Counts a host; whether it is new.
    private mutating func count(_ outcome: HostSet.Outcome, at place: Int) -> Bool {
        switch outcome {
        case .known: return false
        case .new: records[place].end.hosts.add()
        case .full: records[place].end.hosts.isLeast = true
        }
        return true
    }

    private mutating func index(of name: ScanName) -> Int? {
        var rest = used
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            if records[place].name == name { return place }
            rest &= rest - 1
        }
        return nil
    }

    private mutating func quietest() -> Int {
        var quietest = 0
        for place in 1..<ScanEnds.capacity where records[place].lastNew < records[quietest].lastNew { quietest = place }
        return quietest
    }

    private mutating func remove(_ place: Int) -> (end: ScanEnd, level: Int32) {
        used &= ~(1 << UInt32(place))
        ports[place].removeAll()
        hosts[place] = HostSet()
        return (records[place].finished, records[place].level)
    }

    /// When the next scan is over, if nothing new comes of it.
    var nextDue: Timestamp? {
        mutating get {
            var due: Timestamp?
            var rest = used
            while rest != 0 {
                due = .earlier(due, records[rest.trailingZeroBitCount].due)
                rest &= rest - 1
            }
            return due
        }
    }

    /// The end of a scan that is over, or `nil` if there is none: to be called until it returns `nil`.
    ///
    /// - Parameter atExit: all scans are over.
    mutating func next(at now: Timestamp, atExit: Bool) -> (end: ScanEnd, level: Int32)? {
        var rest = used
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            if atExit || records[place].due <= now { return remove(place) }
            rest &= rest - 1
        }
        return nil
    }
}

/// What the packets of a scan have in common.
struct ScanName: Equatable, Sendable {
    let source: Address
    let kind: Kind
    /// Of a sweep.
    let port: UInt16

    /// Kinds whose packets are counted together.
    enum Kind: UInt8, Sendable {
        /// Those that are known by an address and TCP ports.
        case quick
        /// Those that are known by an address or a /64 and TCP ports.
        case tcp
        case sweep, ping, udp, ack, protocols, sctp
    }

    init(_ source: Address, _ kind: Kind, port: UInt16 = 0) {
        self.source = kind == .quick ? source : source.key
        self.kind = kind
        self.port = kind == .sweep ? port : 0
    }
}

extension ScanKind {
    /// How its packets are known.
    var nameKind: ScanName.Kind {
        switch self {
        case .quick: .quick
        case .slow, .spread: .tcp
        case .sweep: .sweep
        case .ping: .ping
        case .udp: .udp
        case .ack: .ack
        case .protocols: .protocols
        case .sctp: .sctp
        }
    }

    /// For how long nothing new must come until a scan is over, in nanoseconds.
    var endSilence: Int64 {
        switch self {
        case .quick: Parameters.endSilence
        case .slow, .spread, .udp, .protocols, .sctp: Int64(Parameters.candidateLifetime) * 1_000_000
        case .ack: Int64(Parameters.ackLifetime) * 1_000_000
        case .sweep, .ping: Int64(Parameters.sweepLifetime) * 1_000_000
        }
    }
}

/// A scan that is followed.
private struct ScanRecord: Sendable {
    var end: ScanEnd
    let name: ScanName
    let level: Int32
    private let lifetime: Int64
    private let begun: Timestamp
    /// When something new was touched last.
    private(set) var lastNew: Timestamp
    private var last: Timestamp

    /// None.
    init() {
        let nobody = Address(ipv6High: 0, low: 0)
        end = ScanEnd(of: ScanReport(.quick, source: nobody, destination: nobody))
        name = ScanName(nobody, .quick)
        level = 0
        lifetime = 0
        begun = Timestamp(nanoseconds: 0)
        lastNew = begun
        last = begun
    }

    /// - Parameter end: it ends with the report.
    init(_ end: ScanEnd, _ name: ScanName, lifetime: Int64, level: Int32, at now: Timestamp) {
        self.end = end
        self.name = name
        self.level = level
        self.lifetime = lifetime
        begun = now
        lastNew = now
        last = now
    }

    mutating func record(at now: Timestamp, isNew: Bool) {
        last = max(last, now)
        if isNew { lastNew = max(lastNew, now) }
    }

    var due: Timestamp {
        let (due, overflow) = lastNew.nanoseconds.addingReportingOverflow(lifetime)
        return Timestamp(nanoseconds: overflow ? .max : due)
    }

    /// The end, with how long it took.
    var finished: ScanEnd {
        var end = end
        let elapsed = Int64(clamping: last.nanoseconds.nanoseconds(since: begun.nanoseconds))
        let (time, overflow) = end.endTime.addingReportingOverflow(elapsed)
        end.endTime = overflow ? .max : time
        return end
    }
}

/// The hosts of a scan, by their hashes of 32 bits: open addressing. Of those that it tried before it was reported, only
/// the 15 low bits may be known.
private struct HostSet: Sendable {
    private var slots = InlineArray<512, UInt32>(repeating: 0)
    private var tags = InlineArray<32, UInt16>(repeating: 0)
    private var tagCount: UInt8 = 0
    private var count: UInt16 = 0

    static var most: Int { 384 }

    enum Outcome { case known, new, full }

    /// Adds a host of which only the 15 low bits of the hash are known.
    mutating func insert(tag: UInt16) -> Outcome {
        for index in 0..<Int(tagCount) where tags[index] == tag { return .known }
        if Int(tagCount) == tags.count { return .full }
        tags[Int(tagCount)] = tag
        tagCount += 1
        return .new
    }

    mutating func insert(hash: UInt32) -> Outcome {
        // 0 marks a free slot: one host of four billion is taken for another.
        let hash = max(hash, 1)
        var slot = Int(hash >> 16) & 511
        while slots[slot] != 0 {
            if slots[slot] == hash { return .known }
            slot = (slot + 1) & 511
        }
        if Int(count) == HostSet.most { return .full }
        slots[slot] = hash
        count += 1
        let tag = UInt16(truncatingIfNeeded: hash & 0x7fff)
        for index in 0..<Int(tagCount) where tags[index] == tag {
            tagCount -= 1
            tags[index] = tags[Int(tagCount)]
            return .known  // its tag was counted
        }
        return .new
    }
}
