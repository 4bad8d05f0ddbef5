/// The only packet seen of a source: all fields that a scan report needs, in 52 bytes.
///
/// 64-bit numbers are stored as halves, so that an array of records has no padding. An all-zero record is unused.
struct ProbationRecord: Sendable {
    private var sourceHigh: Halves
    private var sourceLow: Halves
    private var destinationHigh: Halves
    private var destinationLow: Halves
    private var nanoseconds: Halves
    /// The low 30 bits of the wall clock in seconds, then a bit each for whether the source and the destination are
    /// IPv4.
    private var clockAndFamilies: UInt32
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
        clockAndFamilies = 0
        sourcePort = 0
        destinationPort = 0
        flagsEverSet = .none
        flagsAlwaysSet = .none
        typeOfService = 0
        timeToLive = 0
    }

    /// The record of a source's first packet, which must not come from an unspecified address.
    @inline(__always)  // constructed in place
    init(_ probe: Probe, at now: Timestamp, wallClock: Int64) {
        sourceHigh = Halves(probe.source.high)
        sourceLow = Halves(probe.source.low)
        destinationHigh = Halves(probe.destination.high)
        destinationLow = Halves(probe.destination.low)
        nanoseconds = Halves(UInt64(bitPattern: now.nanoseconds))
        clockAndFamilies =
            UInt32(truncatingIfNeeded: wallClock) << 2  // `wallClock(near:)` restores the upper bits
            | (probe.source.isIPv4 ? 2 : 0) | (probe.destination.isIPv4 ? 1 : 0)
        sourcePort = probe.sourcePort
        destinationPort = probe.destinationPort
        flagsEverSet = probe.flags ?? .none
        flagsAlwaysSet = probe.flags ?? .all
        typeOfService = probe.typeOfService
        timeToLive = probe.timeToLive
    }

    /// Whether it is in use.
    var isUsed: Bool { !source.isUnspecified }

    var source: Address {
        let (high, low) = (sourceHigh.value, sourceLow.value)
        return clockAndFamilies & 2 != 0
            ? Address(ipv4: UInt32(truncatingIfNeeded: low)) : Address(ipv6High: high, low: low)
    }

    var time: Timestamp { Timestamp(nanoseconds: Int64(bitPattern: nanoseconds.value)) }

    /// Whether it belongs to this source: the same as comparing ``source``, without constructing it first.
    func isOf(_ address: Address) -> Bool {
        sourceLow.value == address.low && sourceHigh.value == address.high
            && (clockAndFamilies & 2 != 0) == address.isIPv4
    }

    /// Processes one more packet of the source, as ``SourceEntry/record(_:at:)`` does. A new port is left to that, so
    /// this never returns ``SourceEntry/Effect/scan``.
    mutating func record(_ probe: Probe, at now: Timestamp) -> SourceEntry.Effect {
        if !now.isWithin(Parameters.longestGap, after: time) { return .outdated }
        if probe.destinationPort == destinationPort {
            flagsEverSet = flagsEverSet.union(probe.flags ?? .none)
            flagsAlwaysSet = flagsAlwaysSet.intersection(probe.flags ?? .all)
            return .repeated
        }
        return probe.mayBeAnswer ? .ignored : .counted
    }

    /// The table entry that the source would have, had it been inserted with its first packet.
    ///
    /// - Parameter wallClock: the current one. The record's is exact unless the clock has been set by 17 years since.
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

    /// The time with the stored low 30 bits that is nearest to another one.
    private func wallClock(near now: Int64) -> Int64 {
        let low = UInt32(truncatingIfNeeded: now) << 2
        let behind = Int32(bitPattern: low &- clockAndFamilies & ~3) >> 2
        return now &- Int64(behind)  // wraps only for times that no clock reaches
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
