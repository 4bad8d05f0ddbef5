/// Decides which sources scan.
///
/// A source scans when the ports it touches weigh ``Parameters/weightThreshold`` together, with at most
/// ``Parameters/longestGap`` between two new ones. The rule is scanlogd 2.2.8's (Solar Designer, Phrack 53-13). Memory
/// is fixed, and the work for a packet bounded, whatever arrives.
///
/// Sources seen with one port are kept apart from those that touched more, so that a flood of packets from forged
/// sources can't make room for itself at the expense of a scan.
///
/// - `firstTouchLines`: a power of two, at most 65,536: eight sources seen once are remembered for each.
/// - `capacity`: how many sources that touched more ports are followed, 1 to 65,534.
/// - `bucketCount`: the hash buckets these are found through: a power of two, about twice the capacity.
public struct ScanDetector<let firstTouchLines: Int, let capacity: Int, let bucketCount: Int>: ~Copyable {
    private var probation: ProbationLog<firstTouchLines>
    private var table: SourceTable<capacity, bucketCount>

    /// What happened since the start.
    public var counters = DetectorCounters()

    /// A detector that knows no source yet. The key must be secret, or packets can be made to put a source out.
    public init(key: HashKey) {
        probation = ProbationLog()
        table = SourceTable(key: key)
    }

    /// Gives its key to a detector that knows no source yet: to one in memory that is all zero, which is what
    /// ``init(key:)`` makes of a key that is all zero.
    public mutating func start(key: HashKey) {
        table.key = key
    }

    /// Takes one packet into account, which may be a probe of a scan or not.
    ///
    /// - Parameters:
    ///   - probe: the packet.
    ///   - now: when it arrived, on a clock that does not jump.
    ///   - wallClock: the same in seconds since 1970 UTC, for the line only.
    /// - Returns: the scan, if this probe is the one that makes it so. It is returned once, until the source has
    ///   touched no new port for longer than ``Parameters/longestGap``; one whose report was suppressed, as
    ///   ``remember(_:)`` was told, with every new port.
    public mutating func observe(_ probe: Probe, at now: Timestamp, wallClock: Int64) -> ScanReport? {
        guard let found = lookUp(probe, at: now, wallClock: wallClock) else { return nil }
        return table.withEntry(found.index) { $0.report }
    }

    /// The same, with what the limit on the log has to know of the scan.
    public mutating func find(_ probe: Probe, at now: Timestamp, wallClock: Int64) -> ScanFinding? {
        guard let found = lookUp(probe, at: now, wallClock: wallClock) else { return nil }
        return table.withEntry(found.index) { ScanFinding($0, isNew: found.isNew, hash: found.hash) }
    }

    /// The entry of a scan that is to be told of.
    private struct Found {
        var index: Int
        var isNew: Bool
        var hash: UInt32
    }

    @inline(__always)
    private mutating func lookUp(_ probe: Probe, at now: Timestamp, wallClock: Int64) -> Found? {
        counters.packets &+= 1
        if probe.source.isUnspecified || probe.isEstablishedData {
            counters.ignored &+= 1
            return nil
        }
        return judge(probe, at: now, wallClock: wallClock)
    }

    @inline(never)  // keeps the way of packets that are ignored short
    @_optimize(speed)  // the module is built for size; this is where a flood's time goes
    private mutating func judge(_ probe: Probe, at now: Timestamp, wallClock: Int64) -> Found? {
        let place = table.find(probe.source)
        if let index = place.index {
            switch table.withEntry(index, { $0.record(probe, at: now) }) {
            case .outdated:
                table.remove(index)
            case let effect:
                if effect.isNewPort { table.touch(index) }
                return count(effect) ? Found(index: index, isNew: effect == .scan, hash: place.hash) : nil
            }
        } else if let touch = probation.find(probe.source, hash: place.hash) {
            switch probation.record(probe, at: now, touch) {
            case .outdated:
                _ = probation.remove(touch)
            case .repeated:
                return nil
            case .ignored:
                counters.ignored &+= 1
                return nil
            case .counted, .scan, .continued:
                return promote(probation.remove(touch), probe, at: now, wallClock: wallClock, to: place)
            }
        }
        if probe.mayBeOfConnection {
            counters.ignored &+= 1
            return nil
        }
        counters.probes &+= 1
        probation.insert(probe, hash: place.hash, at: now, wallClock: wallClock)
        return nil
    }

    /// Counts what a probe did to its source's entry, and returns whether there is a scan to tell of.
    private mutating func count(_ effect: SourceEntry.Effect) -> Bool {
        switch effect {
        case .outdated, .repeated: break
        case .ignored: counters.ignored &+= 1
        case .counted: counters.probes &+= 1
        case .continued:
            counters.probes &+= 1
            return true
        case .scan:
            counters.probes &+= 1
            counters.reports &+= 1
            return true
        }
        return false
    }

    /// Follows a source from its second port on.
    @inline(never)
    private mutating func promote(
        _ touch: ProbationRecord, _ probe: Probe, at now: Timestamp, wallClock: Int64,
        to place: SourceTable<capacity, bucketCount>.Place
    ) -> Found? {
        var entry = touch.entry(wallClock: wallClock)
        let isScan = count(entry.record(probe, at: now))
        let index = table.insert(entry, place)
        return isScan ? Found(index: index, isNew: true, hash: place.hash) : nil
    }

    /// Keeps with a scan's source what became of its report: until then it counts as logged.
    ///
    /// - Parameter finding: what ``find(_:at:wallClock:)`` has just returned, as ``ReportLimiter`` has changed it.
    public mutating func remember(_ finding: ScanFinding) {
        guard let index = table.find(finding.report.source).index else { return }
        table.withEntry(index) { $0.suppression = finding.suppression }
    }

    /// Counts a packet that gives no probe.
    public mutating func count(_ fault: PacketFault) {
        counters.packets &+= 1
        switch fault {
        case .otherProtocol, .fragment: counters.ignored &+= 1
        case .truncated, .malformed: counters.malformed &+= 1
        }
    }

    /// How many sources are known now, those whose time is over and whose place was not needed yet included.
    public var sourcesHeld: Int { probation.held + table.held }

    /// How many of them are followed: they touched more than one port.
    public var sourcesFollowed: Int { table.held }

    /// How many sources that were followed had to make room for others before their time was over, since the start.
    public var sourcesEvicted: UInt64 { table.evicted }

    /// How many sources seen with one port had to make room for others before they had the time to touch a second one,
    /// since the start.
    public var probationLost: UInt64 { probation.lost }

    /// The most entries that one packet has looked at to make room for a source that is followed, so far: for tests.
    package var mostExamined: Int { table.mostExamined }

    /// How many sources seen with one port there is room for.
    public static var probationCapacity: Int { ProbationLog<firstTouchLines>.capacity }

    /// Whether nothing was ever observed: for tests.
    package var isFresh: Bool {
        mutating get { table.isFresh && probation.isFresh && counters == DetectorCounters() }
    }

    /// What is wrong with the tables, or `nil`: for tests.
    package var fault: String? {
        mutating get { table.fault ?? probation.fault(key: table.key) }
    }
}

/// The rule for one source.
extension SourceEntry {
    /// What a probe did to its source's entry.
    enum Effect {
        /// Nothing: the entry is too old to count, and the source a new one.
        case outdated
        /// Its port is known already.
        case repeated
        /// Nothing: it may answer a connection of our own.
        case ignored
        /// It touched a new port.
        case counted
        /// It touched a new port, and that makes it a scan.
        case scan
        /// It touched a new port, is a scan already, and its report was suppressed.
        case continued

        /// Whether it touched a new port.
        @inline(__always)
        var isNewPort: Bool {
            switch self {
            case .outdated, .repeated, .ignored: false
            case .counted, .scan, .continued: true
            }
        }
    }

    /// The entry of a source's first probe.
    init(first probe: Probe, at now: Timestamp, wallClock: Int64) {
        report = ScanReport(first: probe, startTime: wallClock)
        lastNewPort = now
        weight = SourceEntry.weight(probe.destinationPort)
    }

    /// Takes one more probe of the source into account.
    @_optimize(speed)  // a tenth of the time of a packet of a source that is followed
    mutating func record(_ probe: Probe, at now: Timestamp) -> Effect {
        if !now.isWithin(Parameters.longestGap, after: lastNewPort) { return .outdated }
        if report.ports.contains(probe.destinationPort) {
            report.merge(probe.flags)
            return .repeated
        }
        if probe.mayBeAnswer { return .ignored }
        lastNewPort = now
        if isReported { return effectAfterReport(probe.destinationPort) }
        report.merge(probe)
        weight += SourceEntry.weight(probe.destinationPort)
        if weight >= Parameters.weightThreshold { return .scan }
        report.ports.append(probe.destinationPort)
        return .counted
    }

    /// What a port does to a source that was reported: it is new if it is none of those listed and not the last one.
    ///
    /// More than that isn't kept. A forger has to send as many packets for two ports in turn as for many.
    private mutating func effectAfterReport(_ port: UInt16) -> Effect {
        if !suppression.isSuppressed || port == lastPort { return .counted }
        lastPort = port
        return .continued
    }

    private static func weight(_ port: UInt16) -> UInt8 {
        port < Parameters.privilegedPortEnd ? Parameters.privilegedPortWeight : Parameters.otherPortWeight
    }
}
