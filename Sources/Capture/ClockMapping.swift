import ScanCore
import System

/// Maps the kernel's time stamps, which are of the clock that can be set, to the clock that can't.
///
/// Both clocks are read once a batch. A packet from before the clock was set fits the difference that was read before,
/// one from after it the difference of now: of the two times the later one that is not in the future is right. What
/// comes out never goes back, is never after the batch, and never before packets can have been waiting.
struct ClockMapping {
    /// How long before the ring was last seen empty a packet may have come all the same: it was in a block that was
    /// not handed over yet.
    private let slack: Int64

    private var now: Timestamp
    private var earliest: Timestamp
    private var difference: Int64
    private var lastDifference: Int64

    /// Begins with the clocks as they are: no packet is older.
    ///
    /// - Parameters:
    ///   - now: the time on the clock that can't be set.
    ///   - realTime: the time on the other, in nanoseconds since 1970.
    ///   - slack: the longest time that a packet waits for being handed over, in nanoseconds.
    init(now: Timestamp, realTime: Int64, slack: Int64) {
        self.now = now
        self.slack = slack
        earliest = now
        difference = realTime - now.nanoseconds
        lastDifference = difference
    }

    /// Takes both clocks before the packets of a batch are looked at.
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

    /// Ends a batch that left nothing behind: packets to come are not older than it.
    mutating func endBatch() {
        earliest = max(earliest, Timestamp(nanoseconds: now.nanoseconds - slack))
    }
}
