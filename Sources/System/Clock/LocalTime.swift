import CLinux
import ScanCore

/// Loads the time zone while its file can still be reached: it can't from inside the chroot (tzset(3)).
package func loadTimeZone() {
    tzset()
    _ = TimeOfDay(local: 0)
}

extension TimeOfDay {
    /// The local time of day at a number of nanoseconds since 1970 UTC; midnight for a year out of range.
    package init(local realTime: Int64) {
        let (seconds, rest) = realTime.quotientAndRemainder(dividingBy: 1_000_000_000)
        unsafe self.init(localParts(of: rest < 0 ? seconds - 1 : seconds))
    }

    fileprivate init(_ parts: tm) {
        self.init(
            hour: UInt8(truncatingIfNeeded: unsafe parts.tm_hour),
            minute: UInt8(truncatingIfNeeded: unsafe parts.tm_min),
            second: UInt8(truncatingIfNeeded: unsafe parts.tm_sec))
    }
}

extension CalendarTime {
    /// The local time at a number of seconds since 1970 UTC.
    package init(local seconds: Int64) {
        let parts = unsafe localParts(of: seconds)
        self.init(
            year: unsafe UInt16(clamping: Int(parts.tm_year) + 1900),
            month: UInt8(truncatingIfNeeded: unsafe parts.tm_mon + 1),
            day: UInt8(truncatingIfNeeded: unsafe parts.tm_mday), time: unsafe TimeOfDay(parts),
            minutesAheadOfUTC: Int16(truncatingIfNeeded: unsafe parts.tm_gmtoff / 60))
    }
}

/// The fields of a local time (localtime(3)); all zero for a year out of range.
private func localParts(of seconds: Int64) -> tm {
    var time = time_t(seconds)
    var parts = unsafe tm()
    // Not localtime(3), which loads the time zone's file again, and would fall back to UTC inside the chroot.
    if unsafe localtime_r(&time, &parts) == nil { unsafe parts = tm() }
    return unsafe parts
}
