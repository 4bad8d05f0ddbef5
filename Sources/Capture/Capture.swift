import CLinux
import ScanCore
import System

/// A place that packets come from.
///
/// Open one as root; all else works after every privilege is gone.
public protocol PacketSource: ~Copyable {
    /// What to poll for reading: readable when packets wait.
    var descriptor: Int32 { get }

    /// How long it pays to let packets gather while they keep coming, in milliseconds; 0: not at all.
    var gatherTime: Int32 { get }

    /// Hands over what waits, without waiting itself, and no more than a bounded batch of it. Stops behind a packet that
    /// makes the sink full, and goes on there the next time; but raw sockets, which only the detector has, take no notice.
    ///
    /// - Throws: what the kernel said; the caller should not ask again at once.
    mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception

    /// What counts the packets that the kernel drops because they are not received fast enough. To be made once.
    func makeDropCounter() -> DropCounter

    /// What became of fragments since the start, where they are not joined by the kernel.
    var fragments: FragmentCounters { get }
}

/// What became of fragments.
public struct FragmentCounters: Sendable {
    /// How many were kept until others come.
    public let kept: UInt64
    /// How many packets had to make room for others, while it was not known what their fragments say.
    public let evicted: UInt64

    /// None: the kernel joins them.
    init() {
        kept = 0
        evicted = 0
    }

    init(_ reader: borrowing ProbeReader) {
        kept = reader.fragmentsKept
        evicted = reader.fragmentedPacketsEvicted
    }
}

/// How much was received.
public enum Reception: Sendable {
    /// Nothing waited.
    case nothing
    /// All that waited.
    case all
    /// A whole batch, and more may wait: ask again, whether or not the descriptor can be read.
    case batch
    /// As much as the sink has room for: ask again when it has more, whether or not the descriptor can be read.
    case full
}

/// What packets go to.
public protocol ProbeSink: ~Copyable {
    /// Whether no packet should be given to it before it has been emptied. It takes what else the last one made known.
    var isFull: Bool { get }

    /// Takes a probe that arrived at a time: on the clock that can't be set, and in nanoseconds since 1970 UTC.
    mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64)

    /// The same, with the packet that made it known, from its IP header on, and the way that this came.
    mutating func receive(
        _ probe: Probe, of packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64)

    /// Looks at a packet, from its IP header on, before its probe is read: whether it is done with. Most aren't.
    mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool

    /// Takes a packet that gave no probe.
    mutating func count(_ fault: PacketFault)

    /// Takes word of a change that an administrator should know of: a line for the log, at level notice.
    mutating func log(notice: LogLine)
}

extension ProbeSink where Self: ~Copyable {
    /// Most need no room.
    @inlinable
    @inline(__always)
    public var isFull: Bool { false }

    /// Who takes probes only looks at no packet.
    @inlinable
    @inline(__always)
    public mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool {
        false
    }

    /// To most it is all the same how a probe came.
    @inlinable
    @inline(__always)
    public mutating func receive(
        _ probe: Probe, of packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) {
        receive(probe, at: now, realTime: realTime)
    }
}
