import CLinux
import ScanCore

/// Reads the time zone while its file can still be reached: from inside the chroot it can't (tzset(3)).
func loadTimeZone() {
    tzset()
    _ = TimeOfDay(local: 0)
}

extension TimeOfDay {
    /// The local time of day at so many seconds since 1970 UTC; midnight for a year that no calendar reaches.
    init(local seconds: Int64) {
        var time = time_t(seconds)
        var parts = unsafe tm()
        // Not localtime(3), which looks for the time zone's file again, and would find UTC inside the chroot.
        if unsafe localtime_r(&time, &parts) == nil { unsafe parts = tm() }
        self.init(
            hour: UInt8(truncatingIfNeeded: unsafe parts.tm_hour),
            minute: UInt8(truncatingIfNeeded: unsafe parts.tm_min),
            second: UInt8(truncatingIfNeeded: unsafe parts.tm_sec))
    }
}
