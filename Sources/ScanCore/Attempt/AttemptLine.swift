/// A date and time of day, with the offset of its clock from UTC.
public struct CalendarTime: Equatable, Sendable {
    /// The year, of four digits in every time that a capture can hold.
    public var year: UInt16
    /// 1 to 12.
    public var month: UInt8
    /// 1 to 31.
    public var day: UInt8
    /// The time of day.
    public var time: TimeOfDay
    /// How many minutes its clock is ahead of UTC: -1439 to 1439.
    public var minutesAheadOfUTC: Int16

    /// Creates a calendar time from its fields.
    public init(year: UInt16, month: UInt8, day: UInt8, time: TimeOfDay, minutesAheadOfUTC: Int16) {
        self.year = year
        self.month = month
        self.day = day
        self.time = time
        self.minutesAheadOfUTC = minutesAheadOfUTC
    }
}

/// The line about an attempt has five fields, separated by bars:
///
///     DATE|SOURCE|SOURCE PORT|DESTINATION|DESTINATION PORT
///
/// No field holds a bar, a blank or a control character, and every line has all five.
extension LogLine {
    /// The line about an attempt, without a line feed.
    ///
    /// - Parameters:
    ///   - attempt: the attempt.
    ///   - date: its ``Attempt/realTime``, as text.
    ///   - source: the host name to print instead of the source address, if there is one.
    ///   - destination: the same for its destination.
    @inline(never)
    public init(_ attempt: Attempt, date: LogLine, source: HostName? = nil, destination: HostName? = nil) {
        self.init()
        append(date)
        append(byte: UInt8(ascii: "|"))
        append(source, orElse: attempt.source)
        append(byte: UInt8(ascii: "|"))
        append(decimal: attempt.sourcePort)
        append(byte: UInt8(ascii: "|"))
        append(destination, orElse: attempt.destination)
        append(byte: UInt8(ascii: "|"))
        append(decimal: attempt.destinationPort)
    }

    private mutating func append(_ name: HostName?, orElse address: Address) {
        if let name { append(name) } else { append(address) }
    }

    /// Appends a date in ISO 8601 format, to the second, with the offset from UTC: `2026-11-21T09:22:51+00:00`.
    @inline(never)
    public mutating func append(_ date: CalendarTime) {
        append(decimal: date.year, width: 4)
        append("-")
        append(decimal: date.month, width: 2)
        append("-")
        append(decimal: date.day, width: 2)
        append("T")
        append(date.time)
        append(date.minutesAheadOfUTC < 0 ? "-" : "+")
        append(decimal: date.minutesAheadOfUTC.magnitude / 60, width: 2)
        append(":")
        append(decimal: date.minutesAheadOfUTC.magnitude % 60, width: 2)
    }

    /// Appends a time of day: `09:22:51`.
    mutating func append(_ time: TimeOfDay) {
        append(decimal: time.hour, width: 2)
        append(":")
        append(decimal: time.minute, width: 2)
        append(":")
        append(decimal: time.second, width: 2)
    }

    /// Appends seconds since 1970 UTC with six decimals: `1795252971.123456`; `-0.500000` for a time before 1970.
    @inline(never)
    public mutating func append(epoch nanoseconds: Int64) {
        let microseconds = nanoseconds.magnitude / 1_000
        if nanoseconds < 0 && microseconds > 0 { append("-") }
        append(decimal: microseconds / 1_000_000)
        append(".")
        append(decimal: microseconds % 1_000_000, width: 6)
    }
}
