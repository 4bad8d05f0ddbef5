/// Event counters since the start. They only grow.
public struct DetectorCounters: Equatable, Sendable {
    /// Packets received.
    public var packets: UInt64 = 0
    /// Packets that touched a port new for their source.
    public var probes: UInt64 = 0
    /// Packets that can't be part of a scan: replies, data, other protocols, fragments that add nothing.
    public var ignored: UInt64 = 0
    /// Packets whose headers are truncated or inconsistent.
    public var malformed: UInt64 = 0
    /// Packets dropped by the kernel because the reader was too slow.
    public var droppedByKernel: UInt64 = 0
    /// Fragments stored until others arrive.
    public var fragmentsKept: UInt64 = 0
    /// Fragmented packets evicted before they were complete.
    public var fragmentsEvicted: UInt64 = 0
    /// Scans found, logged or not.
    public var reports: UInt64 = 0
    /// Scans found and not logged, because their sources are exempt.
    public var exempt: UInt64 = 0
    /// Scans found and not logged, because of the rate limit.
    public var suppressed: UInt64 = 0

    /// All zero.
    public init() {}
}
