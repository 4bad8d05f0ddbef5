/// What `severity` asks for: a level, and perhaps a facility, as syslog(3) numbers them.
enum Severity {
    case level(UInt8)
    /// A word that is neither.
    case unknown(Range<Int>)

    /// The meaning of `level` or `facility.level`, at a place of a text. The facilities are those that libwrap knows.
    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        var start = range.lowerBound
        if let dot = text.extracting(0..<range.upperBound).firstIndex(of: UInt8(ascii: "."), from: start) {
            if !Self.isFacility(text.extracting(start..<dot)) {
                self = .unknown(start..<dot)
                return
            }
            start = dot + 1
        }
        if let level = Self.level(text.extracting(start..<range.upperBound)) {
            self = .level(level)
        } else {
            self = .unknown(start..<range.upperBound)
        }
    }

    private static func level(_ name: Span<UInt8>) -> UInt8? {
        for level: UInt8 in 0...7 where name.equalsIgnoringCase(syslogLevelName(level)) { return level }
        return nil
    }

    private static func isFacility(_ name: Span<UInt8>) -> Bool {
        if name.count == 6 && name.extracting(0..<5).equalsIgnoringCase("local") {
            return name[5].isDigit && name[5] < UInt8(ascii: "8")
        }
        return name.equalsIgnoringCase("auth") || name.equalsIgnoringCase("cron") || name.equalsIgnoringCase("daemon")
            || name.equalsIgnoringCase("kern")
            || name.equalsIgnoringCase("lpr") || name.equalsIgnoringCase("mail") || name.equalsIgnoringCase("news")
            || name.equalsIgnoringCase("user")
            || name.equalsIgnoringCase("uucp")
    }
}

/// The name of a level of syslog(3), 0 to 7, as rules have it.
package func syslogLevelName(_ level: UInt8) -> String {
    switch level {
    case 0: "emerg"
    case 1: "alert"
    case 2: "crit"
    case 3: "err"
    case 4: "warning"
    case 5: "notice"
    case 6: "info"
    default: "debug"
    }
}
