/// The first packet seen of a source, of a class of what it can try: all fields that a scan report needs, in 52 bytes.
///
/// 64-bit numbers are stored as halves, so that an array of records has no padding. An all-zero record is unused.
struct ProbationRecord: Sendable {
    private var sourceHigh: Halves
    private var sourceLow: Halves
    private var destinationHigh: Halves
    private var destinationLow: Halves
    private var nanoseconds: Halves
    /// The low 25 bits of the real time in seconds, then a bit each for whether a probe was seen and whether the pair
    /// accepted, three for its class, and one each for whether the source and the destination are IPv4.
    private var clockAndMarks: UInt32
    private var sourcePort: UInt16
    private var destinationPort: UInt16
    private var flagsEverSet: TCPFlags
    private var flagsAlwaysSet: TCPFlags
    private var typeOfService: UInt8
    private var timeToLive: UInt8

    /// An unused record.
    init() {
        sourceHigh = Halves(0)
        sourceLow = Halves(0)
        destinationHigh = Halves(0)
        destinationLow = Halves(0)
        nanoseconds = Halves(0)
        clockAndMarks = 0
        sourcePort = 0
        destinationPort = 0
        flagsEverSet = .none
        flagsAlwaysSet = .none
        typeOfService = 0
        timeToLive = 0
    }

    /// The record of a source's first packet, which must not come from an unspecified address.
    @inline(__always)  // constructed in place
    init(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        sourceHigh = Halves(probe.source.high)
        sourceLow = Halves(probe.source.low)
        destinationHigh = Halves(probe.destination.high)
        destinationLow = Halves(probe.destination.low)
        nanoseconds = Halves(UInt64(bitPattern: now.nanoseconds))
        clockAndMarks =
            UInt32(truncatingIfNeeded: realTime / 1_000_000_000) << 7  // `startTime` restores the rest
            | (probe.mayBeAnswer ? 0 : 64) | UInt32(probe.families)
        sourcePort = probe.sourcePort
        destinationPort = probe.destinationPort
        flagsEverSet = probe.flagsEverSet
        flagsAlwaysSet = probe.flagsAlwaysSet
        typeOfService = probe.typeOfService
        timeToLive = probe.timeToLive
    }

    /// The record of the first pair of another class than TCP ports that a source tried.
    init(_ event: PairEvent, at now: Timestamp, realTime: Int64) {
        let probe = Probe(
            source: event.source, destination: event.destination, sourcePort: event.sourcePort,
            destinationPort: event.port, transport: .tcp(nil), typeOfService: event.typeOfService,
            timeToLive: event.timeToLive)
        self.init(probe, at: now, realTime: realTime)
        clockAndMarks |= UInt32(event.target.rawValue) << 2
    }

    /// The class of its pair.
    private var target: PairClass { PairClass(rawValue: UInt8(clockAndMarks >> 2 & 7)) ?? .tcp }

    /// Whether its pair accepted, as an answer showed.
    var isAccepted: Bool { clockAndMarks & 32 != 0 }

    /// Records that its pair accepted, if an event is about that.
    mutating func markAccepted(_ event: PairEvent) {
        if isOfPair(event) { clockAndMarks |= 32 }
    }

    /// The event that it was made of.
    var event: PairEvent {
        var event = PairEvent(target, .tried, by: source, at: destination, port: destinationPort)
        event.sourcePort = sourcePort
        event.flagsEverSet = flagsEverSet
        event.flagsAlwaysSet = flagsAlwaysSet
        event.typeOfService = typeOfService
        event.timeToLive = timeToLive
        return event
    }

    /// Whether it is of the source and class of an event: of an IPv6 one, of its /64.
    func isOf(_ event: PairEvent) -> Bool {
        clockAndMarks & 0b11110 == UInt32(event.target.rawValue) << 2 | (event.source.isIPv4 ? 2 : 0)
            && sourceHigh.value == event.source.high && (!event.source.isIPv4 || sourceLow.value == event.source.low)
    }

    /// Whether it is of a probe: the quick rule also remembers sources that began with a reset.
    var isOfProbe: Bool { clockAndMarks & 64 != 0 }

    /// Whether its pair is that of an event.
    func isOfPair(_ event: PairEvent) -> Bool { event.port == destinationPort && event.destination == destination }

    /// Whether it is of a probe of the same pair as another one.
    func isOf(pairOf probe: Probe) -> Bool {
        isOfProbe && probe.destinationPort == destinationPort && probe.destination == destination
    }

    /// The hash by which it is found.
    func hash(_ key: HashKey) -> UInt32 {
        target == .tcp ? key.hash(source) : HashKey.mix(key.hash(source.key), salt: UInt32(target.rawValue))
    }

    /// Whether it is in use.
    var isUsed: Bool { sourceHigh.value | sourceLow.value != 0 }

    var source: Address {
        let (high, low) = (sourceHigh.value, sourceLow.value)
        return clockAndMarks & 2 != 0
            ? Address(ipv4: UInt32(truncatingIfNeeded: low)) : Address(ipv6High: high, low: low)
    }

    var time: Timestamp { Timestamp(nanoseconds: Int64(bitPattern: nanoseconds.value)) }

    /// Whether it is of TCP and belongs to this source: the same as comparing ``source``, without constructing it first.
    func isOf(_ address: Address) -> Bool {
        sourceLow.value == address.low && sourceHigh.value == address.high
            && clockAndMarks & 0b11110 == (address.isIPv4 ? 2 : 0)
    }

    private var destination: Address {
        clockAndMarks & 1 != 0
            ? Address(ipv4: UInt32(truncatingIfNeeded: destinationLow.value))
            : Address(ipv6High: destinationHigh.value, low: destinationLow.value)
    }

    /// Processes one more packet of the source, as ``SourceEntry/record(_:at:)`` does. A new port is left to that, so
    /// this never returns ``SourceEntry/Effect/scan``.
    mutating func record(_ probe: Probe, at now: Timestamp) -> SourceEntry.Effect {
        if !now.isWithin(Parameters.longestGap, after: time) { return .outdated }
        if probe.destinationPort == destinationPort {
            if !probe.mayBeAnswer { clockAndMarks |= 64 }
            flagsEverSet = flagsEverSet.union(probe.flagsEverSet)
            flagsAlwaysSet = flagsAlwaysSet.intersection(probe.flagsAlwaysSet)
            return .repeated
        }
        return probe.mayBeAnswer ? .ignored : .counted
    }

    /// The table entry that the source would have, had it been inserted with its first packet.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - realTime: the same in nanoseconds since 1970 UTC.
    func entry(at now: Timestamp, realTime: Int64) -> SourceEntry {
        let first = Probe(
            source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
            transport: .tcp(flagsEverSet), typeOfService: typeOfService, timeToLive: timeToLive)
        var entry = SourceEntry(first: first, at: time, realTime: startTime(at: now, realTime: realTime))
        entry.report.flagsAlwaysSet = flagsAlwaysSet
        return entry
    }

    /// When the packet came, in nanoseconds since 1970 UTC.
    ///
    /// The second is the one with the stored low 25 bits that is nearest to the current one: exact unless the clock has
    /// been set by half a year since. The fraction follows from how long ago the packet came, and is exact unless the
    /// clock has been set or slewed since; then the time within that second is taken that is nearest to what follows.
    private func startTime(at now: Timestamp, realTime: Int64) -> Int64 {
        let current = realTime / 1_000_000_000
        let low = UInt32(truncatingIfNeeded: current) << 7
        let behind = Int32(bitPattern: low &- clockAndMarks & ~127) >> 7
        let (second, overflow) = (current - Int64(behind)).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return realTime }  // a time in a file that no clock reaches
        let (end, isPast) = second.addingReportingOverflow(999_999_999)
        let estimate = realTime &- (now.nanoseconds &- time.nanoseconds)
        return min(max(estimate, second), isPast ? .max : end)
    }
}

/// A 64-bit number with the alignment of a 32-bit one.
private struct Halves: Sendable {
    private let low: UInt32
    private let high: UInt32

    init(_ value: UInt64) {
        low = UInt32(truncatingIfNeeded: value)
        high = UInt32(truncatingIfNeeded: value >> 32)
    }

    var value: UInt64 { UInt64(high) << 32 | UInt64(low) }
}
