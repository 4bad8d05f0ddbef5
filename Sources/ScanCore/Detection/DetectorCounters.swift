/// What happened since the start, as numbers that only grow.
public struct DetectorCounters: Equatable, Sendable {
    /// Packets that reached us.
    public var packets: UInt64 = 0
    /// Packets that touched a port new for their source.
    public var probes: UInt64 = 0
    /// Packets that can't be part of a scan: answers, data, other protocols, fragments that add nothing.
    public var ignored: UInt64 = 0
    /// Packets whose headers are cut off or contradict themselves.
    public var malformed: UInt64 = 0
    /// Packets the kernel had to drop because we were too slow.
    public var droppedByKernel: UInt64 = 0
    /// Fragments that were kept until others come.
    public var fragmentsKept: UInt64 = 0
    /// Fragmented packets that had to make room for others while something of them was kept.
    public var fragmentsEvicted: UInt64 = 0
    /// Scans found, logged or not.
    public var reports: UInt64 = 0
    /// Scans found and not logged, for their sources are exempt.
    public var exempt: UInt64 = 0
    /// Scans found and not logged, for there were too many.
    public var suppressed: UInt64 = 0

    /// All zero.
    public init() {}
}
