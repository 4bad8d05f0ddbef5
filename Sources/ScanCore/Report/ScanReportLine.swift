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
///
/// The other kinds have a word before `ports`, or one in its place, so that what looks for the line above does not find
/// them; then how long they took:
///
///     saddr[:sport] to daddr slow ports port[, port...], ..., n s, flags[, TOS xx][, TTL n] @HH:MM:SS
///     saddr to daddr udp ports port[, port...], ..., n s @HH:MM:SS
///     saddr[:sport] to daddr and others, sweep port port, n hosts, n s, flags[, TOS xx][, TTL n] @HH:MM:SS
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
        let listed = report.kind.isOfHosts ? 0 : report.ports.count
        for index in 0..<listed {
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
        let withPort = report.kind.hasSegments && !report.changed.sourcePort
        let bracketed = withPort && !report.source.isIPv4
        if bracketed { append("[") }
        var before = count
        append(report.source)
        if report.sourceIsPrefix { append("/64") }
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
        append(report.kind.words)
        if report.kind == .sweep {
            append(decimal: report.ports[0])
            append(", ")
        }
        return addressLength
    }

    /// Appends everything after the ports.
    private mutating func appendTail(_ report: ScanReport, time: TimeOfDay) {
        if report.kind.isOfHosts {
            append(decimal: report.hosts)
            append(" hosts, ")
        } else {
            append("..., ")
        }
        if report.kind == .spread { append("4 or more sources, ") }
        if report.kind != .quick {
            append(decimal: report.seconds)
            append(" s")
        }
        if report.kind.hasSegments { appendSegments(report) }
        append(" @")
        append(time)
    }

    /// Appends what the source's own segments were like.
    private mutating func appendSegments(_ report: ScanReport) {
        if report.kind != .quick { append(", ") }
        appendFlags(everSet: report.flagsEverSet, alwaysSet: report.flagsAlwaysSet)
        if !report.changed.typeOfService {
            append(", TOS ")
            append(hexadecimal: UInt16(report.typeOfService), width: 2)
        }
        if !report.changed.timeToLive {
            append(", TTL ")
            append(decimal: report.timeToLive)
        }
    }

    /// Appends a letter for each flag, lowest bit first: upper case if always set, lower case if never set, `?` if
    /// sometimes set. It is `?` for all flags if none were seen, as the two sets then have their initial values.
    mutating func appendFlags(everSet: TCPFlags, alwaysSet: TCPFlags) {
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

extension ScanKind {
    /// What stands between the addresses and the first port.
    fileprivate var words: String {
        switch self {
        case .quick: " ports "
        case .slow: " slow ports "
        case .spread: " spread ports "
        case .sweep: " sweep port "
        case .ping: " sweep ping, "
        case .udp: " udp ports "
        case .ack: " ack ports "
        case .protocols: " protocols "
        case .sctp: " sctp ports "
        }
    }
}
