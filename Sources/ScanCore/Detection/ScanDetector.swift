/// Decides which sources scan.
///
/// A source scans when the weights of the ports it touches add up to ``Parameters/weightThreshold``, with at most
/// ``Parameters/longestGap`` between two new ports. The rule is scanlogd 2.2.8's (Solar Designer, Phrack 53-13). Memory
/// is fixed, and the work for a packet bounded, whatever arrives.
///
/// Sources seen with one port are kept apart from those that touched more, so that a flood of packets with forged
/// sources can't evict a scan.
///
/// - `firstTouchLines`: a power of two, at most 65,536: there is room for eight sources seen once per line.
/// - `capacity`: how many sources with two or more ports are tracked, 1 to 65,534.
/// - `candidateSets`: a power of two: eight sources each that tried two or more pairs, for the kinds of ``KindSettings``.
/// - `bucketCount`: the number of hash buckets for these: a power of two, about twice the capacity.
public struct ScanDetector<let firstTouchLines: Int, let capacity: Int, let bucketCount: Int, let candidateSets: Int>:
    ~Copyable
{
    var probation: ProbationLog<firstTouchLines>
    var table: SourceTable<capacity, bucketCount>
    var prefixes = PrefixIndex<candidateSets>()
    var candidates = CandidateTable<candidateSets>()
    var clients = ClientPorts<candidateSets>()
    var ends = ScanEnds()

    /// What ``load(_:)`` read, so that it is not left out as of no use.
    private var loaded: UInt32 = 0

    /// Which kinds of scans are detected.
    public private(set) var settings = KindSettings()

    /// What the host that is monitored says of itself, if that is where the packets are from.
    public var host = OwnHost()

    /// The event counters since the start.
    public var counters = DetectorCounters()

    /// Creates an empty detector. The key must be secret, or an attacker can evict a chosen source.
    public init(key: HashKey) {
        probation = ProbationLog()
        table = SourceTable(key: key)
    }

    /// Sets the key of an empty detector in all-zero memory, which is what ``init(key:)`` makes of an all-zero key.
    public mutating func start(key: HashKey) {
        table.key = key
    }

    /// Sets which kinds of scans are detected from now on: without, only the quick one is.
    public mutating func detect(_ settings: KindSettings) {
        self.settings = settings
        probation.rememberedTime = settings.followsPairs ? Parameters.rememberedTime : 0
    }

    /// The secret key of all hashes.
    var key: HashKey { table.key }

    /// Processes one packet, which may or may not be a probe of a scan.
    ///
    /// - Parameters:
    ///   - probe: the packet.
    ///   - now: when it arrived, on a clock that does not jump.
    ///   - realTime: the same time in nanoseconds since 1970 UTC, for the report only.
    /// - Returns: the scan, if this probe completes one. It is returned once, until the source has touched no new port
    ///   for longer than ``Parameters/longestGap``. If its report was suppressed, as recorded by ``remember(_:)``, it
    ///   is returned again with every new port.
    public mutating func observe(_ probe: Probe, at now: Timestamp, realTime: Int64) -> ScanReport? {
        find(probe, at: now, realTime: realTime)?.report
    }

    /// The same, with what the report limiter needs to know about the scan.
    public mutating func find(_ probe: Probe, at now: Timestamp, realTime: Int64) -> ScanFinding? {
        if isIgnored(probe) { return nil }
        let hash = key.hash(probe.source)
        let found = lookUp(probe, hash: hash, at: now, realTime: realTime)
        return finding(found, hash: hash, port: probe.destinationPort, at: now, realTime: realTime)
    }

    /// Adds a packet to those that are judged together, unless it needs no judgement. The vector must have room.
    ///
    /// - Parameters:
    ///   - now: when it arrived, on a clock that does not jump.
    ///   - realTime: the same time in nanoseconds since 1970 UTC, for the report only.
    @inline(__always)
    public mutating func append(_ probe: Probe, to vector: inout ProbeVector, at now: Timestamp, realTime: Int64) {
        if isIgnored(probe) { return }
        vector.append(probe, hash: key.hash(probe.source), at: now, realTime: realTime)
    }

    /// Where the memory begins that the judgement of the last probe of a vector reads first, as an offset in the detector:
    /// a line of the index, which is at its beginning.
    @inline(__always)
    public static func firstRead(for vector: inout ProbeVector) -> Int {
        ProbationLog<firstTouchLines>.offset(ofLine: vector.lastHash)
    }

    /// Judges the probes of a vector, in their order, up to the next one that completes a scan, as
    /// ``find(_:at:realTime:)`` does. To be called until it returns `nil`: then the vector is empty.
    ///
    /// - Returns: the scan that ``ProbeVector/time`` is about.
    public mutating func nextFinding(in vector: inout ProbeVector) -> ScanFinding? {
        if vector.isUntouched && vector.count > 1 { load(&vector) }
        while vector.advance() {
            let next = vector.current
            switch lookUp(next.probe, hash: next.hash, at: next.time, realTime: next.realTime) {
            case .none: continue
            case let found: return finding(found, by: &vector)
            }
        }
        return nil
    }

    /// Reads what the judgement of a vector's probes begins with: see ``ProbeVector``.
    private mutating func load(_ vector: inout ProbeVector) {
        var read: UInt32 = 0
        for index in 0..<vector.count {
            let hash = vector.hash(index)
            read |= probation.load(hash) | table.load(hash) | candidates.load(hash)
        }
        loaded = read
    }

    @inline(never)  // rare
    private mutating func finding(_ found: Found, by vector: inout ProbeVector) -> ScanFinding? {
        finding(
            found, hash: vector.hash(vector.judged - 1), port: vector.port, at: vector.time,
            realTime: vector.realTime)
    }

    private mutating func finding(
        _ found: Found, hash: UInt32, port: UInt16, at now: Timestamp, realTime: Int64
    ) -> ScanFinding? {
        switch found {
        case .none: nil
        case .quick(let index, let isNew):
            table.withEntry(index) {
                ScanFinding($0, isNew: isNew, hash: hash, lastPort: port, realTime: realTime)
            }
        case .other(let found): finding(found, at: now, realTime: realTime)
        }
    }

    /// What a packet shows that is no TCP segment, from its IP header on, for the other kinds than ``ScanKind/quick``;
    /// `nil` if nothing. It does not count the packet.
    @inline(__always)
    public func pair(in packet: Span<UInt8>) -> PairEvent? {
        settings.followsPairs && !packet.isPlainTCP ? readPair(in: packet) : nil
    }

    @inline(never)
    private func readPair(in packet: Span<UInt8>) -> PairEvent? {
        do throws(PacketFault) {
            return try PairEvent.read(packet, datagrams: host.knowsPorts)
        } catch {
            return nil  // whoever parses it for its probe counts the fault
        }
    }

    /// Processes what a packet shows.
    ///
    /// - Returns: the scan, if it completes one: see ``observe(_:at:realTime:)``.
    public mutating func find(_ event: PairEvent, at now: Timestamp, realTime: Int64) -> ScanFinding? {
        guard let found = observe(event, at: now, realTime: realTime) else { return nil }
        return finding(found, at: now, realTime: realTime)
    }

    /// The same with the packet.
    public mutating func find(packet: Span<UInt8>, at now: Timestamp, realTime: Int64) -> ScanFinding? {
        guard let event = pair(in: packet) else { return nil }
        return find(event, at: now, realTime: realTime)
    }

    /// The scan to report.
    private enum Found {
        case none
        /// The index of its entry in the table.
        case quick(index: Int, isNew: Bool)
        case other(KindFound)
    }

    /// Counts a packet, and returns whether nothing else is done with it.
    @inline(__always)
    private mutating func isIgnored(_ probe: Probe) -> Bool {
        counters.packets &+= 1
        if !probe.source.isUnspecified && (host.knowsPorts || !probe.isEstablishedData) { return false }
        counters.ignored &+= 1
        return true
    }

    @inline(__always)
    private mutating func lookUp(_ probe: Probe, hash: UInt32, at now: Timestamp, realTime: Int64) -> Found {
        if probe.mayBeAnswer { return lookUpAnswer(probe, hash: hash, at: now, realTime: realTime) }
        if ends.isActive { countForEnds(probe, at: now) }
        rememberClient(probe, hash: hash)
        let touch = probation.find(probe.source, hash: hash)
        if let touch {
            if isRepeating(probe, touch, hash: hash, at: now) { return .none }
        } else if isFlooding(probe, hash: hash) {
            counters.probes &+= 1
            probation.insert(probe, hash: hash, at: now, realTime: realTime)
            return .none
        }
        return judge(probe, hash: hash, after: touch, at: now, realTime: realTime)
    }

    /// Whether a probe whose source is not in ``probation`` is what floods consist of, and all that is to be done is to
    /// remember it: it begins a connection, and nothing else is known of its IPv4 source.
    /// ``judge(_:hash:after:at:realTime:)`` would do the same, at twice the cost.
    @inline(__always)
    private mutating func isFlooding(_ probe: Probe, hash: UInt32) -> Bool {
        if table.mayHave(hash) { return false }
        if !settings.followsPairs { return true }
        return probe.source.isIPv4 && !candidates.mayHave(hash)
    }

    /// Whether a probe is of the only pair that its source tried, and so says nothing new: then it has been recorded.
    /// ``judge(_:hash:after:at:realTime:)`` would do the same, at twice the cost.
    @inline(__always)
    private mutating func isRepeating(
        _ probe: Probe, _ touch: ProbationLog<firstTouchLines>.Place, hash: UInt32, at now: Timestamp
    ) -> Bool {
        if !probation.isOf(pairOf: probe, touch) { return false }
        if settings.followsPairs && mayBeCandidate(probe, hash: hash) { return false }
        return probation.record(probe, at: now, touch) == .repeated
    }

    /// Remembers from which port a probe opens a connection, where the answers of others are seen: a host's own sockets
    /// say who its clients are.
    @inline(__always)
    private mutating func rememberClient(_ probe: Probe, hash: UInt32) {
        if !settings.followsPairs || host.knowsPorts || !settings.kinds.contains(.ack) { return }
        if !probe.opensConnection { return }
        clients.insert(hash: hash, port: probe.sourcePort, peer: probe.destination, key)
    }

    /// Processes a packet that may be an answer. No scan is completed by one for the quick rule.
    @inline(never)  // keeps the path of a flood's packets short
    private mutating func lookUpAnswer(_ probe: Probe, hash: UInt32, at now: Timestamp, realTime: Int64) -> Found {
        if probe.isEstablishedData {
            counters.ignored &+= 1
            return noteAcknowledgement(probe, at: now, realTime: realTime).map { .other($0) } ?? .none
        }
        let found = settings.followsPairs ? noteAnswer(probe, at: now, realTime: realTime) : nil
        let touch = probation.find(probe.source, hash: hash)
        _ = judge(probe, hash: hash, after: touch, at: now, realTime: realTime)
        return found.map { .other($0) } ?? .none
    }

    /// Judges a packet by the quick rule, and passes it on to the others.
    ///
    /// - Parameter touch: the place of the record of its source's first packet, if it has touched no other port: then it
    ///   is not in ``table``.
    @inline(never)  // keeps the path of ignored packets short
    private mutating func judge(
        _ probe: Probe, hash: UInt32, after touch: ProbationLog<firstTouchLines>.Place?, at now: Timestamp,
        realTime: Int64
    ) -> Found {
        let isForOthers = settings.followsPairs && !probe.mayBeAnswer
        var earlier: ProbationRecord?
        let place = table.find(probe.source, hash: hash)
        if let index = place.index {
            switch table.withEntry(index, { $0.record(probe, at: now) }) {
            case .outdated:
                table.remove(index)
            case let effect:
                if effect.isNewPort { table.touch(index) }
                let isFound = count(effect)
                return result(
                    isFound ? index : nil, isNew: effect == .scan, hash, probe, after: nil, isFollowed: true,
                    isForOthers: isForOthers, at: now, realTime: realTime)
            }
        } else if let touch {
            // The pair that is known already, of a source that tried no other, says nothing new.
            let isRepeated =
                isForOthers && probation.isOf(pairOf: probe, touch) && !mayBeCandidate(probe, hash: hash)
            if isForOthers && !isRepeated { earlier = probation.record(at: touch) }
            switch probation.record(probe, at: now, touch) {
            case .outdated:
                if settings.followsPairs && probe.mayBeAnswer {
                    // Nothing that is no probe makes one forgotten.
                    if probe.mayBeOfConnection { break }
                    keep(probation.record(at: touch), hash: hash, at: now)
                }
                _ = probation.remove(touch)
            case .repeated:
                return result(
                    nil, isNew: false, hash, probe, after: earlier, isFollowed: false, isForOthers: isForOthers,
                    at: now, realTime: realTime)
            case .ignored:
                counters.ignored &+= 1
                return .none
            case .counted, .scan, .continued:
                let found = promote(probation.remove(touch), probe, at: now, realTime: realTime, to: place)
                return result(
                    found, isNew: true, hash, probe, after: earlier, isFollowed: true, isForOthers: isForOthers,
                    at: now, realTime: realTime)
            }
        }
        if probe.mayBeOfConnection {
            counters.ignored &+= 1
            return .none
        }
        counters.probes &+= 1
        probation.insert(probe, hash: hash, at: now, realTime: realTime)
        if !isForOthers { return .none }
        if !probe.source.isIPv4 { earlier = findSibling(probe) ?? earlier }
        if earlier == nil && !mayBeCandidate(probe, hash: hash) { return .none }
        return result(
            nil, isNew: false, hash, probe, after: earlier, isFollowed: false, isForOthers: true, at: now,
            realTime: realTime)
    }

    /// What a probe amounts to, for the quick rule and for the others.
    ///
    /// - Parameters:
    ///   - index: that of the entry of a quick scan to report.
    ///   - earlier: the record of the first probe of its source, if there is one.
    ///   - isFollowed: whether its source is in the table.
    private mutating func result(
        _ index: Int?, isNew: Bool, _ hash: UInt32, _ probe: Probe, after earlier: ProbationRecord?, isFollowed: Bool,
        isForOthers: Bool, at now: Timestamp, realTime: Int64
    ) -> Found {
        let index = settings.omitsTouches ? nil : index
        if index != nil && isNew { counters.reports &+= 1 }
        if isForOthers {
            let other = follow(
                probe, after: earlier, hash: hash, isFollowed: isFollowed, isQuick: index != nil, at: now,
                realTime: realTime)
            if index == nil, let other { return .other(other) }
        }
        if let index { return .quick(index: index, isNew: isNew) }
        return .none
    }

    /// The record of another host of the /64 that a new source belongs to; and remembers the source as one.
    @inline(never)
    private mutating func findSibling(_ probe: Probe) -> ProbationRecord? {
        let hash = key.hash(probe.source.prefix)
        let sibling = prefixes.find(probe, hash: hash, in: &probation)
        prefixes.insert(newestOf: probation, hash: hash)
        return sibling
    }

    /// Counts the effect of a probe on its source's entry, and returns whether it touched enough ports for a scan.
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
            return true
        }
        return false
    }

    /// Moves a source to the table on its second port; returns the index of its entry if it is a scan.
    @inline(never)
    private mutating func promote(
        _ touch: ProbationRecord, _ probe: Probe, at now: Timestamp, realTime: Int64,
        to place: SourceTable<capacity, bucketCount>.Place
    ) -> Int? {
        var entry = touch.entry(at: now, realTime: realTime)
        let isScan = count(entry.record(probe, at: now))
        let index = table.insert(entry, place)
        return isScan ? index : nil
    }

    /// Stores with a scan's source the state of its report: until then it counts as logged.
    ///
    /// - Parameter finding: the value just returned by ``find(_:at:realTime:)``, as modified by ``ReportLimiter``.
    public mutating func remember(_ finding: ScanFinding) {
        if let place = finding.candidate.map({ place(of: $0) }) {
            candidates.withEntry(place) { $0.suppression = finding.suppression }
            return
        }
        guard let index = table.find(finding.report.source).index else { return }
        table.withEntry(index) { $0.suppression = finding.suppression }
    }

    /// The place of a finding's candidate.
    func place(of number: UInt32) -> CandidatePlace {
        CandidatePlace(set: Int(number >> 3) & (candidateSets - 1), way: Int(number & 7))
    }

    /// Counts a packet that yields no probe.
    public mutating func count(_ fault: PacketFault) {
        counters.packets &+= 1
        switch fault {
        case .otherProtocol, .fragment: counters.ignored &+= 1
        case .truncated, .malformed: counters.malformed &+= 1
        }
    }

    /// The number of sources held, including expired ones that have not been replaced yet.
    public var sourcesHeld: Int { probation.held + table.held }

    /// The number of tracked sources: those that touched more than one port.
    public var sourcesFollowed: Int { table.held }

    /// The number of tracked sources evicted before they expired, since the start.
    public var sourcesEvicted: UInt64 { table.evicted }

    /// The number of sources seen with one port that were overwritten before they had the time to touch a second one,
    /// since the start.
    public var probationLost: UInt64 { probation.lost }

    /// The maximum number of entries examined for one packet to evict a tracked source, so far: for tests.
    package var mostExamined: Int { table.mostExamined }

    /// For how long the first pairs that sources tried are remembered now, in seconds: up to the age of the record that
    /// was overwritten last.
    ///
    /// - Parameter now: the present time.
    public func memoryReach(at now: Timestamp) -> Int64 { probation.reach(at: now) / 1_000_000_000 }

    /// The number of sources put out, for others, of those that tried two or more pairs, since the start.
    public var candidatesEvicted: UInt64 { candidates.evicted }

    /// The maximum number of sources seen with one port.
    public static var probationCapacity: Int { ProbationLog<firstTouchLines>.capacity }

    /// Whether no packet was ever observed: for tests.
    package var isFresh: Bool {
        mutating get {
            table.isFresh && probation.isFresh && candidates.isFresh && prefixes.isFresh && clients.isFresh
                && counters == DetectorCounters()
        }
    }

    /// The first violated invariant of the tables, or `nil`: for tests.
    package var fault: String? {
        mutating get {
            table.fault ?? probation.fault(key: table.key) ?? candidates.fault(key: table.key)
                ?? prefixes.fault(of: &probation, key: table.key) ?? clients.fault
        }
    }
}

/// The rule for one source.
extension SourceEntry {
    /// The effect of a probe on its source's entry.
    enum Effect {
        /// None: the entry has expired, and the source counts as new.
        case outdated
        /// Its port was seen before.
        case repeated
        /// None: it may be a reply to an outgoing connection.
        case ignored
        /// It touched a new port.
        case counted
        /// It touched a new port, which makes the source a scan.
        case scan
        /// It touched a new port; the source is a scan already, and its report was suppressed.
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
    init(first probe: Probe, at now: Timestamp, realTime: Int64) {
        report = ScanReport(first: probe, startTime: realTime)
        lastNewPort = now
        weight = SourceEntry.weight(probe.destinationPort)
    }

    /// Processes one more probe of the source.
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

    /// The effect of a port on a source that was reported: it is new if it is not in the list and not the last one.
    ///
    /// No more is stored. An attacker has to send as many packets to alternate between two ports as to touch many.
    private mutating func effectAfterReport(_ port: UInt16) -> Effect {
        if !suppression.isSuppressed || port == lastPort { return .counted }
        lastPort = port
        return .continued
    }

    private static func weight(_ port: UInt16) -> UInt8 {
        port < Parameters.privilegedPortEnd ? Parameters.privilegedPortWeight : Parameters.otherPortWeight
    }
}
