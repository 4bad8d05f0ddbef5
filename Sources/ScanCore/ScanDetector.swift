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
            if now.isWithin(Parameters.longestGap, after: table[index].lastNewPort) {
                return observe(segment, at: now, from: index)
            }
            table.remove(index)
        }
        if segment.flags.contains(.ack) {  // opens nothing: an answer to us, or the middle of a connection
            counters.ignored &+= 1
            return nil
        }
        counters.probes &+= 1
        table.insert(
            ScanReport(first: segment, startTime: wallClock), weight: weight(segment.destinationPort),
            at: now, place: place)
        return nil
    }

    /// Takes a segment of a source that is known and not too old into account.
    private mutating func observe(_ segment: Segment, at now: Timestamp, from index: Int) -> ScanReport? {
        if table[index].report.ports.contains(segment.destinationPort) {
            table[index].report.merge(segment.flags)
            return nil
        }
        if segment.flags.containsAny(of: .ack.union(.rst)) {  // may answer a connection of our own
            counters.ignored &+= 1
            return nil
        }
        counters.probes &+= 1
        table[index].lastNewPort = now
        if table[index].weight >= Parameters.weightThreshold { return nil }  // reported already
        table[index].report.merge(segment)
        table[index].weight += weight(segment.destinationPort)
        if table[index].weight >= Parameters.weightThreshold {
            counters.reports &+= 1
            return table[index].report
        }
        table[index].report.ports.append(segment.destinationPort)
        return nil
    }

    private func weight(_ port: UInt16) -> UInt8 {
        port < Parameters.privilegedPortEnd ? Parameters.privilegedPortWeight : Parameters.otherPortWeight
    }

    /// Counts a packet that gives no segment.
    public mutating func count(_ fault: PacketFault) {
        counters.packets &+= 1
        switch fault {
        case .notTCP, .laterFragment: counters.ignored &+= 1
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
