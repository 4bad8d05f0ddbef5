import CLinux
import ScanCore

/// Reads the time zone while its file can still be reached: from inside the chroot it can't (tzset(3)).
package func loadTimeZone() {
    tzset()
    _ = TimeOfDay(local: 0)
}

extension TimeOfDay {
    /// The local time of day at so many seconds since 1970 UTC; midnight for a year that no calendar reaches.
    package init(local seconds: Int64) {
        unsafe self.init(localParts(of: seconds))
    }

    fileprivate init(_ parts: tm) {
        self.init(
            hour: UInt8(truncatingIfNeeded: unsafe parts.tm_hour),
            minute: UInt8(truncatingIfNeeded: unsafe parts.tm_min),
            second: UInt8(truncatingIfNeeded: unsafe parts.tm_sec))
    }
}

extension CalendarTime {
    /// The local time at so many seconds since 1970 UTC.
    package init(local seconds: Int64) {
        let parts = unsafe localParts(of: seconds)
        self.init(
            year: unsafe UInt16(clamping: Int(parts.tm_year) + 1900),
            month: UInt8(truncatingIfNeeded: unsafe parts.tm_mon + 1),
            day: UInt8(truncatingIfNeeded: unsafe parts.tm_mday), time: unsafe TimeOfDay(parts),
            minutesAheadOfUTC: Int16(truncatingIfNeeded: unsafe parts.tm_gmtoff / 60))
    }
}

/// The parts of a local time (localtime(3)); all zero for a year that no calendar reaches.
private func localParts(of seconds: Int64) -> tm {
    var time = time_t(seconds)
    var parts = unsafe tm()
    // Not localtime(3), which looks for the time zone's file again, and would find UTC inside the chroot.
    if unsafe localtime_r(&time, &parts) == nil { unsafe parts = tm() }
    return unsafe parts
}
