/// What `severity` asks for: a level, and perhaps a facility, as syslog(3) numbers them.
package enum Severity {
    case level(UInt8, facility: UInt8?)
    /// A word that is neither.
    case unknown(Range<Int>)

    /// The meaning of `level` or `facility.level`, at a place of a text. The facilities are those that libwrap knows.
    package init(_ text: Span<UInt8>, _ range: Range<Int>) {
        var start = range.lowerBound
        var facility: UInt8?
        if let dot = text.extracting(0..<range.upperBound).firstIndex(of: UInt8(ascii: "."), from: start) {
            facility = Self.facility(text.extracting(start..<dot))
            if facility == nil {
                self = .unknown(start..<dot)
                return
            }
            start = dot + 1
        }
        if let level = Self.level(text.extracting(start..<range.upperBound)) {
            self = .level(level, facility: facility)
        } else {
            self = .unknown(start..<range.upperBound)
        }
    }

    private static func level(_ name: Span<UInt8>) -> UInt8? {
        for level: UInt8 in 0...7 where name.equalsIgnoringCase(syslogLevelName(level)) { return level }
        return nil
    }

    private static func facility(_ name: Span<UInt8>) -> UInt8? {
        if name.count == 6 && name.extracting(0..<5).equalsIgnoringCase("local") {
            let digit = name[5]
            return digit.isDigit && digit < UInt8(ascii: "8") ? 16 + (digit - UInt8(ascii: "0")) : nil
        }
        for facility: UInt8 in 0...9 {
            if let known = Self.facilityName(facility), name.equalsIgnoringCase(known) { return facility }
        }
        return nil
    }

    private static func facilityName(_ facility: UInt8) -> String? {
        switch facility {
        case 0: "kern"
        case 1: "user"
        case 2: "mail"
        case 3: "daemon"
        case 4: "auth"
        case 6: "lpr"
        case 7: "news"
        case 8: "uucp"
        case 9: "cron"
        default: nil
        }
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
