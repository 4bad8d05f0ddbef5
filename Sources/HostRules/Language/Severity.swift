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
        if name.equalsIgnoringCase("emerg") { return 0 }
        if name.equalsIgnoringCase("alert") { return 1 }
        if name.equalsIgnoringCase("crit") { return 2 }
        if name.equalsIgnoringCase("err") { return 3 }
        if name.equalsIgnoringCase("warning") { return 4 }
        if name.equalsIgnoringCase("notice") { return 5 }
        if name.equalsIgnoringCase("info") { return 6 }
        return name.equalsIgnoringCase("debug") ? 7 : nil
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
