/// Decides which sources scan.
///
/// A source scans when the ports it touches weigh ``Parameters/weightThreshold`` together, with at most
/// ``Parameters/longestGap`` between two new ones. The rule is scanlogd 2.2.8's (Solar Designer, Phrack 53-13). Memory
/// is fixed, and the work for a packet bounded, whatever arrives.
public struct ScanDetector<let capacity: Int, let bucketCount: Int>: ~Copyable {
    private var table: SourceTable<capacity, bucketCount>

    /// What happened since the start.
    public var counters = StatusCounters()

    /// A detector that knows no source yet. The key must be secret, or packets can be made to put a source out.
    public init(key: HashKey) {
        table = SourceTable(key: key)
    }

    /// Takes one segment into account.
    ///
    /// - Parameters:
    ///   - segment: the segment.
    ///   - now: when it arrived, on a clock that does not jump.
    ///   - wallClock: the same in seconds since 1970 UTC, for the line only.
    /// - Returns: the scan, if this segment is the one that makes it so. It is returned once, until the source has
    ///   touched no new port for longer than ``Parameters/longestGap``.
    public mutating func observe(_ segment: Segment, at now: Timestamp, wallClock: Int64) -> ScanReport? {
        counters.packets &+= 1
        if segment.source.isUnspecified || segment.flags.isEstablishedData {
            counters.ignored &+= 1
            return nil
        }
        let place = table.find(segment.source)
        if let index = place.index {
            switch table.withEntry(index, { $0.take(segment, at: now) }) {
            case .outdated:
                table.remove(index)
            case .repeated:
                return nil
            case .ignored:
                counters.ignored &+= 1
                return nil
            case .counted:
                counters.probes &+= 1
                return nil
            case .scan:
                counters.probes &+= 1
                counters.reports &+= 1
                return table.withEntry(index) { $0.report }
            }
        }
        if segment.flags.contains(.ack) {  // opens nothing: an answer to us, or the middle of a connection
            counters.ignored &+= 1
            return nil
        }
        counters.probes &+= 1
        table.insert(SourceEntry(first: segment, at: now, wallClock: wallClock), place)
        return nil
    }

    /// Counts a packet that gives no segment.
    public mutating func count(_ fault: PacketFault) {
        counters.packets &+= 1
        switch fault {
        case .notTCP, .fragment: counters.ignored &+= 1
        case .truncated, .malformed: counters.malformed &+= 1
        }
    }

    /// How many sources are known now.
    public var sourcesHeld: Int { table.held }

    /// How many sources had to make room for others, since the start.
    public var sourcesEvicted: UInt64 { table.evicted }

    /// What is wrong with the table, or `nil`: for tests.
    package var fault: String? { table.fault }
}

/// The rule for one source.
extension SourceEntry {
    /// What a segment did to its source's entry.
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
    }

    /// The entry of a source's first segment.
    init(first segment: Segment, at now: Timestamp, wallClock: Int64) {
        report = ScanReport(first: segment, startTime: wallClock)
        lastNewPort = now
        weight = SourceEntry.weight(segment.destinationPort)
    }

    /// Takes one more segment of the source into account.
    mutating func take(_ segment: Segment, at now: Timestamp) -> Effect {
        if !now.isWithin(Parameters.longestGap, after: lastNewPort) { return .outdated }
        if report.ports.contains(segment.destinationPort) {
            report.merge(segment.flags)
            return .repeated
        }
        if segment.flags.containsAny(of: .ack.union(.rst)) { return .ignored }
        lastNewPort = now
        if weight >= Parameters.weightThreshold { return .counted }  // reported already
        report.merge(segment)
        weight += SourceEntry.weight(segment.destinationPort)
        if weight >= Parameters.weightThreshold { return .scan }
        report.ports.append(segment.destinationPort)
        return .counted
    }

    private static func weight(_ port: UInt16) -> UInt8 {
        port < Parameters.privilegedPortEnd ? Parameters.privilegedPortWeight : Parameters.otherPortWeight
    }
}
