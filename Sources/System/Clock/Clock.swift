import CLinux
import ScanCore

extension Timestamp {
    /// The time on a clock that can't be set, and continues during suspend (clock_gettime(2)).
    public static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The time a number of nanoseconds from now.
    package static func fromNow(_ nanoseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: now().nanoseconds + nanoseconds)
    }

    /// The number of milliseconds until then, rounded up; 0 if it is past.
    package var millisecondsFromNow: Int32 {
        let left = nanoseconds - Timestamp.now().nanoseconds
        return left <= 0 ? 0 : Int32(clamping: left / 1_000_000 + 1)
    }
}

/// The time of a batch of packets, read once for all of them.
package struct BatchTime {
    package let now = Timestamp.now()
    /// To the precision of the kernel's tick.
    package let realTime: Int64

    package init() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        realTime = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The time of day, in nanoseconds since 1970 (clock_gettime(2)).
package func realTime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
