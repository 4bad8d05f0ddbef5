import CLinux
import ScanCore
import System

/// A source of packets.
///
/// Open one as root; everything else works after all privileges are dropped.
public protocol PacketSource: ~Copyable {
    /// The descriptor to poll: readable when packets wait.
    var descriptor: Int32 { get }

    /// How long it pays to let packets accumulate while they keep arriving, in milliseconds; 0: not at all.
    var gatherTime: Int32 { get }

    /// Delivers waiting packets, at most a bounded batch, and never blocks. Stops after a packet that fills the sink,
    /// and continues there the next time; raw sockets, which only the detector uses, ignore a full sink.
    ///
    /// - Throws: the kernel's error; the caller should not retry at once.
    mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception

    /// Delivers packets that are no TCP probes, in addition. By default none are.
    ///
    /// - Throws: the kernel's error; then what is delivered is as before.
    mutating func admit(_ others: OtherPackets) throws(SystemError)

    /// Makes the counter of packets that the kernel drops because they are not received fast enough. To be called once.
    func makeDropCounter() -> DropCounter

    /// The counters of fragments since the start, where the kernel does not reassemble them.
    var fragments: FragmentCounters { get }
}

extension PacketSource where Self: ~Copyable {
    /// None are delivered.
    public mutating func admit(_ others: OtherPackets) throws(SystemError) {}
}

/// Counters of fragments.
public struct FragmentCounters: Sendable {
    /// How many were kept until others arrive.
    public let kept: UInt64
    /// How many incomplete packets were evicted to make room for others.
    public let evicted: UInt64

    /// All zero: the kernel reassembles them.
    init() {
        kept = 0
        evicted = 0
    }

    init(_ reader: borrowing ProbeReader) {
        kept = reader.fragmentsKept
        evicted = reader.fragmentedPacketsEvicted
    }
}

/// The result of a receive.
public enum Reception: Sendable {
    /// Nothing waited.
    case nothing
    /// All waiting packets.
    case all
    /// A whole batch, and more may wait: call again, whether or not the descriptor is readable.
    case batch
    /// As much as the sink has room for: call again when it has more, whether or not the descriptor is readable.
    case full
}

/// A receiver of packets and their probes.
public protocol ProbeSink: ~Copyable {
    /// Whether it should get no more packets until it has been drained. It still accepts the rest of the last one's
    /// probes.
    var isFull: Bool { get }

    /// Receives a probe, with its time of arrival: on the monotonic clock, and in nanoseconds since 1970 UTC.
    mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64)

    /// The same, with the packet that revealed it, from its IP header on, and the link that this came over.
    mutating func receive(
        _ probe: Probe, of packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64)

    /// Inspects a packet, from its IP header on, before its probe is parsed. Returns whether it has been handled; by
    /// default it is not.
    mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool

    /// Counts a packet without a probe.
    mutating func count(_ fault: PacketFault)

    /// Logs a change that an administrator should know of, at level notice.
    mutating func log(notice: LogLine)
}

extension ProbeSink where Self: ~Copyable {
    /// By default, a sink never gets full.
    @inlinable
    @inline(__always)
    public var isFull: Bool { false }

    /// By default, packets are not inspected.
    @inlinable
    @inline(__always)
    public mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool {
        false
    }

    /// By default, the packet and its link are ignored.
    @inlinable
    @inline(__always)
    public mutating func receive(
        _ probe: Probe, of packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) {
        receive(probe, at: now, realTime: realTime)
    }
}
