import ScanCore
import System

/// Maps the kernel's time stamps, which are of the settable real-time clock, to the monotonic clock.
///
/// Both clocks are read once a batch. A packet from before the clock was set fits the previous difference of the
/// clocks, one from after it the current difference: of the two resulting times, the later one that is not in the
/// future is right. Results never decrease, are never later than the batch, and never earlier than packets can have
/// been waiting.
struct ClockMapping {
    /// How long before the ring was last seen empty a packet may have arrived all the same: it was in a block that was
    /// not handed over yet.
    private let slack: Int64

    private var now: Timestamp
    private var earliest: Timestamp
    private var difference: Int64
    private var lastDifference: Int64

    /// Starts with the current clocks: no packet is older.
    ///
    /// - Parameters:
    ///   - now: the time on the monotonic clock.
    ///   - realTime: the time on the real-time clock, in nanoseconds since 1970.
    ///   - slack: the longest time that a packet waits to be handed over, in nanoseconds.
    init(now: Timestamp, realTime: Int64, slack: Int64) {
        self.now = now
        self.slack = slack
        earliest = now
        difference = realTime - now.nanoseconds
        lastDifference = difference
    }

    /// Records both clocks before the packets of a batch are processed.
    mutating func beginBatch(now: Timestamp, realTime: Int64) {
        self.now = max(now, self.now)
        lastDifference = difference
        difference = realTime - now.nanoseconds
    }

    /// The time of a packet.
    ///
    /// - Parameter realTime: the kernel's time stamp, in nanoseconds since 1970: 0 to 2^62.
    @inline(__always)
    mutating func timestamp(of realTime: Int64) -> Timestamp {
        let recent = realTime - difference
        let older = realTime - lastDifference
        var best = max(recent, older)
        if best > now.nanoseconds { best = min(recent, older, now.nanoseconds) }
        earliest = max(Timestamp(nanoseconds: best), earliest)
        return earliest
    }

    /// Ends a batch that left no packets waiting: later packets are not older than it.
    mutating func endBatch() {
        earliest = max(earliest, Timestamp(nanoseconds: now.nanoseconds - slack))
    }
}
