/// A source that tried at least two pairs of a class, with the pairs it tried last: 256 bytes.
///
/// A source is an IPv4 address, or the /64 of an IPv6 one, in which a host can choose its address freely (RFC 4291,
/// section 2.5.1; RFC 8981). All zero is not in use.
///
/// Reading the pairs is mutating, for the reason at ``SourceTable``.
///
/// What is not private is only for ``fault``, and for the tests that break it.
struct Candidate: Sendable {
    /// The pairs in the list, the first ones in use, in the order in which they were first tried.
    var pairs = InlineArray<32, Pair>(repeating: Pair())

    var sourceHigh: UInt64 = 0
    /// An IPv4 address, or the lower half of the first IPv6 address.
    var sourceLow: UInt64 = 0
    /// The first destination.
    private var destinationHigh: UInt64 = 0
    private var destinationLow: UInt64 = 0

    /// When the first pair was tried, and the last new one: in milliseconds, which wrap around after 49 days.
    var first: UInt32 = 0
    var last: UInt32 = 0

    var suppression = Suppression()

    /// When it was reported, in units of 65,536 ms.
    private var reported: UInt16 = 0

    /// Of the first segment.
    private var sourcePort: UInt16 = 0

    /// 15 bits each of the hash of other addresses of a /64, plus 1; 0: none.
    var otherAddresses = InlineArray<3, UInt16>(repeating: 0)

    private var typeOfService: UInt8 = 0
    private var timeToLive: UInt8 = 0
    var flagsEverSet = TCPFlags.none
    var flagsAlwaysSet = TCPFlags.none
    var pairCount: UInt8 = 0
    private(set) var target = PairClass.tcp
    private var changed = ChangedFields()
    var marks = Marks()

    /// The first pair in the list of those tried since the last pause.
    var firstOfRun: UInt8 = 0

    struct Marks: Sendable {
        private var bits: UInt8 = 0

        private func has(_ bit: UInt8) -> Bool { bits & bit != 0 }
        private mutating func set(_ bit: UInt8, _ value: Bool) { bits = value ? bits | bit : bits & ~bit }

        var isUsed: Bool {
            get { has(1) }
            set { set(1, newValue) }
        }
        var isIPv4: Bool {
            get { has(2) }
            set { set(2, newValue) }
        }
        var isToIPv4: Bool {
            get { has(4) }
            set { set(4, newValue) }
        }
        /// Whether there was a pause that ends what the quick rule counts.
        var hasPaused: Bool {
            get { has(8) }
            set { set(8, newValue) }
        }
        var isReported: Bool {
            get { has(16) }
            set { set(16, newValue) }
        }
        /// Whether the report was one of the quick rule.
        var isReportedAsQuick: Bool {
            get { has(32) }
            set { set(32, newValue) }
        }
        /// Whether what was tried since the last pause was reported as a quick scan.
        var isRunReported: Bool {
            get { has(64) }
            set { set(64, newValue) }
        }
        /// Whether the list had no room for a pair.
        var hasLost: Bool {
            get { has(128) }
            set { set(128, newValue) }
        }
    }

    /// Not in use.
    init() {}

    /// A candidate without pairs yet.
    init(_ event: PairEvent, at now: UInt32) {
        sourceHigh = event.source.high
        sourceLow = event.source.low
        destinationHigh = event.destination.high
        destinationLow = event.destination.low
        first = now
        last = now
        sourcePort = event.sourcePort
        typeOfService = event.typeOfService
        timeToLive = event.timeToLive
        flagsEverSet = event.flagsEverSet
        flagsAlwaysSet = event.flagsAlwaysSet
        target = event.target
        marks.isUsed = true
        marks.isIPv4 = event.source.isIPv4
        marks.isToIPv4 = event.destination.isIPv4
    }

    /// Whether it is one, and not a free place.
    var isUsed: Bool { marks.isUsed }

    /// Whether it is that of an event's source and class; of its port too, if it is of one that many hosts are tried at.
    func isOf(_ event: PairEvent) -> Bool {
        let source = event.source
        return marks.isUsed && target == event.target && marks.isIPv4 == source.isIPv4 && sourceHigh == source.high
            && (!source.isIPv4 || sourceLow == source.low) && (target != .sweep || pairs[0].port == event.port)
    }

    /// Whether so long has passed since the last new pair that it is forgotten.
    func isOutdated(at now: UInt32) -> Bool {
        if !marks.isUsed { return true }
        let elapsed = Int32(bitPattern: now &- last)
        return elapsed > Candidate.lifetime(of: target) || elapsed < -Candidate.toleratedStepBack
    }

    /// When the last new pair was tried.
    var lastPair: UInt32 { last }

    /// How long it is kept after the last new pair, in milliseconds.
    private static func lifetime(of target: PairClass) -> Int32 {
        switch target {
        case .tcp, .udp, .protocols, .sctp: Parameters.candidateLifetime
        case .ack: Parameters.ackLifetime
        case .echo, .sweep: Parameters.sweepLifetime
        }
    }

    /// Packets in a file, and those of several interfaces, are not quite in order: by how much they may not be, in
    /// milliseconds.
    private static var toleratedStepBack: Int32 { 3000 }

    // MARK: Pairs

    /// Records that a pair was tried, or refused without that having been seen; `true` if it is new.
    ///
    /// - Parameter againAfterPause: whether one that was tried before the last pause is new.
    mutating func add(
        _ pair: Pair, of event: PairEvent, at now: UInt32, againAfterPause: Bool = false
    ) -> Bool {
        merge(event)
        let pause = Int32(bitPattern: now &- last)
        if let index = index(of: pair) {
            if !againAfterPause || index >= runStart && pause <= Parameters.candidatePause {
                if pair.state != .pending { pairs[index] = pair }
                return false
            }
            remove(index)
        }
        if pairCount > 0 && pause >= Parameters.candidatePause { marks.hasPaused = true }
        if pause > Parameters.candidatePause {
            firstOfRun = pairCount
            marks.isRunReported = false
        }
        if pause > 0 { last = now }
        limitAges(at: now)
        if Int(pairCount) == pairs.count { removeOne() }
        pairs[Int(pairCount)] = pair
        pairCount += 1
        return true
    }

    /// Forgets what is so long ago that its age could wrap around: when a scan began that has lasted for weeks, and that
    /// it was reported.
    private mutating func limitAges(at now: UInt32) {
        if Int32(bitPattern: last &- first) > Parameters.longestDuration {
            first = last &- UInt32(Parameters.longestDuration)
        }
        if marks.isReported && !isReported(at: now) {
            marks.isReported = false
            marks.isReportedAsQuick = false
            suppression = Suppression()
        }
    }

    /// Records how a pair was answered, if it is in the list; whether that changed what is known of it.
    mutating func mark(_ pair: Pair) -> Bool {
        guard let index = index(of: pair), pairs[index].state != pair.state else { return false }
        pairs[index] = pair
        return true
    }

    /// Records that a pair of the list is known to be open, since it was tried.
    mutating func markOpen(_ index: Int) { pairs[index].markOpen() }

    /// The pair in the list with a destination and port.
    mutating func pair(like other: Pair) -> Pair? {
        index(of: other).map { pairs[$0] }
    }

    /// Whether pairs that were tried are no longer in the list.
    var hasLostPairs: Bool { marks.hasLost }

    /// A pair of the list, 0 to ``pairCount`` - 1.
    mutating func pair(at index: Int) -> Pair { pairs[index] }

    private mutating func index(of pair: Pair) -> Int? {
        for index in 0..<Int(pairCount) where pairs[index].isSame(as: pair) { return index }
        return nil
    }

    /// Removes the oldest pair that accepted, else the oldest one.
    private mutating func removeOne() {
        var victim = 0
        for index in 0..<Int(pairCount) where pairs[index].state == .open {
            victim = index
            break
        }
        remove(victim)
        marks.hasLost = true
    }

    private mutating func remove(_ victim: Int) {
        for index in victim..<Int(pairCount) - 1 { pairs[index] = pairs[index + 1] }
        pairCount -= 1
        if victim < runStart { firstOfRun -= 1 }
    }

    /// Whether the list has a port of another host.
    mutating func hasPort(_ port: UInt16, ofOtherThan destination: UInt16) -> Bool {
        for index in 0..<Int(pairCount) where pairs[index].port == port && pairs[index].destination != destination {
            return true
        }
        return false
    }

    private mutating func merge(_ event: PairEvent) {
        if destinationHigh != event.destination.high || destinationLow != event.destination.low {
            changed.destination = true
        }
        if event.outcome == .tried {
            flagsEverSet = flagsEverSet.union(event.flagsEverSet)
            flagsAlwaysSet = flagsAlwaysSet.intersection(event.flagsAlwaysSet)
            if sourcePort != event.sourcePort { changed.sourcePort = true }
            if typeOfService != event.typeOfService { changed.typeOfService = true }
            if timeToLive != event.timeToLive { changed.timeToLive = true }
        }
        if !event.source.isIPv4 && event.source.low != sourceLow { addAddress(event.source.low) }
    }

    /// Records one more address of a /64.
    private mutating func addAddress(_ low: UInt64) {
        // A different address with the same tag is not counted: of all others, one in 32,768.
        let tag = UInt16(truncatingIfNeeded: (low &* 0x9e37_79b9_7f4a_7c15) >> 49) &+ 1
        for index in 0..<3 where otherAddresses[index] == tag { return }
        for index in 0..<3 where otherAddresses[index] == 0 {
            otherAddresses[index] = tag
            return
        }
    }

    /// The number of addresses of a /64 seen, up to 4.
    var addressCount: Int {
        var count = 1
        for index in 0..<3 where otherAddresses[index] != 0 { count += 1 }
        return count
    }

    /// Takes over from a candidate of TCP ports the pairs of one port, in time for a sweep, but for the one just tried.
    mutating func take(of other: borrowing Candidate, _ pair: Pair, at now: UInt32) {
        var oldest: UInt32 = 0
        for index in 0..<Int(other.pairCount) {
            let known = other.pairs[index]
            let age = known.age(at: now)
            if known.port != pair.port || known.isSame(as: pair) || age > UInt32(Parameters.sweepLifetime) { continue }
            oldest = max(oldest, age)
            pairs[Int(pairCount)] = known
            pairCount += 1
            if index > 0 { continue }
            destinationHigh = other.destinationHigh
            destinationLow = other.destinationLow
            sourceLow = other.sourceLow
            sourcePort = other.sourcePort
            typeOfService = other.typeOfService
            timeToLive = other.timeToLive
        }
        first = now &- oldest
    }

    // MARK: Reports

    /// Whether there was a pause that ends what the quick rule counts.
    var hasPaused: Bool { marks.hasPaused }

    /// The first pair in the list of those tried since the last pause; the number of pairs if there is none.
    var runStart: Int { Int(firstOfRun) }

    /// Whether it tried other hosts than the first one.
    var triedOtherHosts: Bool { changed.destination }

    /// Whether what was tried since the last pause was reported as a quick scan.
    var isRunReported: Bool { marks.isRunReported }

    /// Whether the last report was one of the quick rule.
    var isReportedAsQuick: Bool { marks.isReportedAsQuick }

    /// Whether it was reported, so recently that it is not to be reported again.
    func isReported(at now: UInt32) -> Bool {
        if !marks.isReported { return false }
        let silence = marks.isReportedAsQuick ? Parameters.candidateLifetime : Parameters.reportedLifetime
        // Negative for a packet that is out of order.
        let elapsed = Int16(bitPattern: UInt16(truncatingIfNeeded: now >> 16) &- reported)
        return elapsed <= Int16(silence >> 16)
    }

    /// Records that it is reported.
    mutating func markReported(at now: UInt32, asQuick: Bool) {
        marks.isReported = true
        marks.isReportedAsQuick = asQuick
        if asQuick { marks.isRunReported = true }
        reported = UInt16(truncatingIfNeeded: now >> 16)
        suppression = Suppression()
    }

    /// When the first pair since the last pause was tried, in milliseconds: of the very first one exactly, of others to
    /// within 128 ms.
    private func startOfRun(at now: UInt32) -> UInt32 {
        if runStart >= pairCount { return first }
        let begun = now &- pairs[runStart].age(at: now)
        return Int32(bitPattern: begun &- first).magnitude < 128 ? first : begun
    }

    /// The report, without its ports.
    ///
    /// - Parameters:
    ///   - kind: the kind of scan it is.
    ///   - now: in milliseconds.
    ///   - realTime: the same time in nanoseconds since 1970 UTC.
    func report(as kind: ScanKind, at now: UInt32, realTime: Int64) -> ScanReport {
        let isQuick = kind == .quick
        let begun = isQuick ? startOfRun(at: now) : first
        let elapsed = max(Int32(bitPattern: now &- begun), 0)
        let isPrefix = !marks.isIPv4 && addressCount > 1 && !isQuick
        let source =
            marks.isIPv4
            ? Address(ipv4: UInt32(truncatingIfNeeded: sourceLow))
            : Address(ipv6High: sourceHigh, low: isPrefix ? 0 : sourceLow)
        let destination =
            marks.isToIPv4
            ? Address(ipv4: UInt32(truncatingIfNeeded: destinationLow))
            : Address(ipv6High: destinationHigh, low: destinationLow)
        var report = ScanReport(kind, source: source, destination: destination)
        report.sourceIsPrefix = isPrefix
        report.sourcePort = sourcePort
        report.flagsEverSet = flagsEverSet
        report.flagsAlwaysSet = flagsAlwaysSet
        report.typeOfService = typeOfService
        report.timeToLive = timeToLive
        report.changed = changed
        if isPrefix { report.changed.sourcePort = true }
        report.startTime = realTime &- Int64(elapsed) * 1_000_000
        report.endTime = realTime
        return report
    }
}

/// A host and a port of it, as far as a list of them needs: a tag of the host, the port, and what is known of it.
struct Pair: Sendable {
    /// What is known of a pair.
    enum State: UInt8 {
        /// It was tried.
        case pending = 0
        /// It was refused.
        case refused
        /// It accepted.
        case open
        /// It accepted, and the source reset the connection at once.
        case halfOpen
    }

    /// Fifteen bits of the hash of the host's address, and above them whether it is a local one.
    let destination: UInt16
    /// The port, the number of the protocol, or 0.
    let port: UInt16
    /// The state in the upper 2 bits; below, when it changed last, in units of 128 ms, which wrap around.
    private var stateAndTime: UInt16

    /// Not in use.
    init() {
        destination = 0
        port = 0
        stateAndTime = 0
    }

    /// - Parameter now: in milliseconds.
    init(destination: UInt16, port: UInt16, state: State, at now: UInt32) {
        self.destination = destination
        self.port = port
        stateAndTime = UInt16(state.rawValue) << 14 | UInt16(truncatingIfNeeded: now >> 7) & 0x3fff
    }

    /// Whether it is none.
    var isUnused: Bool { destination | port | stateAndTime == 0 }

    var state: State { State(rawValue: UInt8(stateAndTime >> 14)) ?? .pending }

    /// Records that it was open when it was tried.
    mutating func markOpen() { stateAndTime = UInt16(State.open.rawValue) << 14 | stateAndTime & 0x3fff }

    /// Whether its host is a local one.
    var isLocal: Bool { destination >> 15 != 0 }

    /// How long its state is known, in milliseconds, up to 2,097,024; more wraps around.
    func age(at now: UInt32) -> UInt32 {
        UInt32((UInt16(truncatingIfNeeded: now >> 7) &- stateAndTime) & 0x3fff) << 7
    }

    func isSame(as other: Pair) -> Bool { port == other.port && destination == other.destination }

    /// Whether it is of the same host, or both are of local ones.
    func sharesHost(with other: Pair) -> Bool { destination == other.destination || isLocal && other.isLocal }
}
