/// The one packet known of a source: all that the line about a scan would say of it, in 52 bytes.
///
/// Numbers of 64 bits stand in halves, so that an array of these has no gaps. All zero, it is the record of nobody.
struct ProbationRecord: Sendable {
    private var sourceHigh: Halves
    private var sourceLow: Halves
    private var destinationHigh: Halves
    private var destinationLow: Halves
    private var nanoseconds: Halves
    /// The low 30 bits of the wall clock in seconds, then whether the source and the destination are IPv4.
    private var clockAndFamilies: UInt32
    private var sourcePort: UInt16
    private var destinationPort: UInt16
    private var flagsEverSet: TCPFlags
    private var flagsAlwaysSet: TCPFlags
    private var typeOfService: UInt8
    private var timeToLive: UInt8

    /// The record of nobody.
    init() {
        sourceHigh = Halves(0)
        sourceLow = Halves(0)
        destinationHigh = Halves(0)
        destinationLow = Halves(0)
        nanoseconds = Halves(0)
        clockAndFamilies = 0
        sourcePort = 0
        destinationPort = 0
        flagsEverSet = .none
        flagsAlwaysSet = .none
        typeOfService = 0
        timeToLive = 0
    }

    /// The record of a source's first packet, which must not come from an unspecified address.
    @inline(__always)  // made where it is to stand
    init(_ probe: Probe, at now: Timestamp, wallClock: Int64) {
        sourceHigh = Halves(probe.source.high)
        sourceLow = Halves(probe.source.low)
        destinationHigh = Halves(probe.destination.high)
        destinationLow = Halves(probe.destination.low)
        nanoseconds = Halves(UInt64(bitPattern: now.nanoseconds))
        clockAndFamilies =
            UInt32(truncatingIfNeeded: wallClock) << 2  // the upper bits are found again by `wallClock(near:)`
            | (probe.source.isIPv4 ? 2 : 0) | (probe.destination.isIPv4 ? 1 : 0)
        sourcePort = probe.sourcePort
        destinationPort = probe.destinationPort
        flagsEverSet = probe.flags ?? .none
        flagsAlwaysSet = probe.flags ?? .all
        typeOfService = probe.typeOfService
        timeToLive = probe.timeToLive
    }

    /// Whether it is anybody's.
    var isUsed: Bool { !source.isUnspecified }

    var source: Address {
        let (high, low) = (sourceHigh.value, sourceLow.value)
        return clockAndFamilies & 2 != 0
            ? Address(ipv4: UInt32(truncatingIfNeeded: low)) : Address(ipv6High: high, low: low)
    }

    var time: Timestamp { Timestamp(nanoseconds: Int64(bitPattern: nanoseconds.value)) }

    /// Whether it is this source's: the same as comparing ``source``, without making it first.
    func isOf(_ address: Address) -> Bool {
        sourceLow.value == address.low && sourceHigh.value == address.high
            && (clockAndFamilies & 2 != 0) == address.isIPv4
    }

    /// Takes one more packet of the source into account, as ``SourceEntry/take(_:at:)`` does; a new port is left to
    /// that, so this is never ``SourceEntry/Effect/scan``.
    mutating func record(_ probe: Probe, at now: Timestamp) -> SourceEntry.Effect {
        if !now.isWithin(Parameters.longestGap, after: time) { return .outdated }
        if probe.destinationPort == destinationPort {
            flagsEverSet = flagsEverSet.union(probe.flags ?? .none)
            flagsAlwaysSet = flagsAlwaysSet.intersection(probe.flags ?? .all)
            return .repeated
        }
        return probe.mayBeAnswer ? .ignored : .counted
    }

    /// What the source would be known by, had it been given an entry at once.
    ///
    /// - Parameter wallClock: that of now. The record's is exact if the clock has not been set by 17 years meanwhile.
    func entry(wallClock: Int64) -> SourceEntry {
        let destination =
            clockAndFamilies & 1 != 0
            ? Address(ipv4: UInt32(truncatingIfNeeded: destinationLow.value))
            : Address(ipv6High: destinationHigh.value, low: destinationLow.value)
        let first = Probe(
            source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
            transport: .tcp(flagsEverSet), typeOfService: typeOfService, timeToLive: timeToLive)
        var entry = SourceEntry(first: first, at: time, wallClock: self.wallClock(near: wallClock))
        entry.report.flagsAlwaysSet = flagsAlwaysSet
        return entry
    }

    /// The wall clock whose low 30 bits are kept and that is the nearest to another one.
    private func wallClock(near now: Int64) -> Int64 {
        let low = UInt32(truncatingIfNeeded: now) << 2
        let behind = Int32(bitPattern: low &- clockAndFamilies & ~3) >> 2
        return now &- Int64(behind)  // wrapping only beyond any clock
    }
}

/// A number of 64 bits that needs no better alignment than one of 32.
private struct Halves: Sendable {
    private let low: UInt32
    private let high: UInt32

    init(_ value: UInt64) {
        low = UInt32(truncatingIfNeeded: value)
        high = UInt32(truncatingIfNeeded: value >> 32)
    }

    var value: UInt64 { UInt64(high) << 32 | UInt64(low) }
}
