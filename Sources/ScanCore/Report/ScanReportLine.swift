/// A local time of day.
public struct TimeOfDay: Equatable, Sendable {
    /// 0 to 23.
    public var hour: UInt8
    /// 0 to 59.
    public var minute: UInt8
    /// 0 to 60: leap seconds exist.
    public var second: UInt8

    /// Creates a time of day from its fields.
    public init(hour: UInt8, minute: UInt8, second: UInt8) {
        self.hour = hour
        self.minute = minute
        self.second = second
    }
}

/// The line about a scan, in the format of scanlogd 2.2.8, for compatibility with tools that read its log:
///
///     saddr[:sport] to daddr [and others,] ports port[, port...], ..., flags[, TOS xx][, TTL n] @HH:MM:SS
extension LogLine {
    /// The line about a scan.
    ///
    /// - Parameters:
    ///   - report: the scan.
    ///   - time: its ``ScanReport/startTime`` on the local clock.
    ///   - limit: the maximum length in bytes, which is kept by omitting the last ports, but never the first one. In an
    ///     IPv6 line each address counts as 15 bytes, so that it may list as many ports. `nil`: no limit.
    public init(_ report: ScanReport, time: TimeOfDay, limit: Int? = Parameters.lineLength) {
        self.init()
        let addressLength = appendAddresses(report)
        var tail = LogLine()
        tail.appendTail(report, time: time)

        let allowance = report.source.isIPv4 ? 0 : addressLength - 30
        let room = limit.map { $0 + allowance - tail.count }
        for index in 0..<report.ports.count {
            let before = count
            append(decimal: report.ports[index])
            append(", ")
            if let room, count > room, index > 0 {
                shorten(to: before)
                break
            }
        }
        append(tail)
    }

    /// Appends everything before the ports, and returns the length of the two addresses in bytes.
    private mutating func appendAddresses(_ report: ScanReport) -> Int {
        let withPort = !report.changed.sourcePort
        let bracketed = withPort && !report.source.isIPv4
        if bracketed { append("[") }
        var before = count
        append(report.source)
        var addressLength = count - before
        if bracketed { append("]") }
        if withPort {
            append(":")
            append(decimal: report.sourcePort)
        }
        append(" to ")
        before = count
        append(report.destination)
        addressLength += count - before
        if report.changed.destination { append(" and others,") }
        append(" ports ")
        return addressLength
    }

    /// Appends everything after the ports.
    private mutating func appendTail(_ report: ScanReport, time: TimeOfDay) {
        append("..., ")
        appendFlags(everSet: report.flagsEverSet, alwaysSet: report.flagsAlwaysSet)
        if !report.changed.typeOfService {
            append(", TOS ")
            append(hexadecimal: UInt16(report.typeOfService), width: 2)
        }
        if !report.changed.timeToLive {
            append(", TTL ")
            append(decimal: report.timeToLive)
        }
        append(" @")
        append(time)
    }

    /// Appends a letter for each flag, lowest bit first: upper case if always set, lower case if never set, `?` if
    /// sometimes set. It is `?` for all flags if none were seen, as the two sets then have their initial values.
    private mutating func appendFlags(everSet: TCPFlags, alwaysSet: TCPFlags) {
        let letters = "fsrpauxy".utf8Span.span
        for index in letters.indices {
            let flag = TCPFlags(rawValue: 1 << UInt8(index))
            switch (everSet.contains(flag), alwaysSet.contains(flag)) {
            case (true, true): append(byte: letters[index] - 32)  // the distance from lower to upper case in ASCII
            case (false, false): append(byte: letters[index])
            default: append(byte: UInt8(ascii: "?"))
            }
        }
    }
}
