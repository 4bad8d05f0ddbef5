/// One option of a rule: where its name and its value stand.
package struct RuleOption {
    /// The name; empty if there is none.
    package let name: Range<Int>
    /// The value; empty if there is none. In it `\:` stands for a colon.
    package let value: Range<Int>
    /// Whether another follows.
    let isLast: Bool
    package let keyword: Keyword?

    /// The options there are. `group` is in no manual; `aclexec` is Debian's.
    package enum Keyword: Sendable {
        case aclexec, allow, banners, deny, group, keepalive, linger, nice, rfc931, setenv, severity, spawn, twist,
            umask
        case user

        init?(_ name: Span<UInt8>) {
            if name.equalsIgnoringCase("allow") {
                self = .allow
            } else if name.equalsIgnoringCase("deny") {
                self = .deny
            } else if name.equalsIgnoringCase("severity") {
                self = .severity
            } else if name.equalsIgnoringCase("spawn") {
                self = .spawn
            } else if name.equalsIgnoringCase("twist") {
                self = .twist
            } else if let other = Self.rare(name) {
                self = other
            } else {
                return nil
            }
        }

        private static func rare(_ name: Span<UInt8>) -> Keyword? {
            if name.equalsIgnoringCase("aclexec") { return .aclexec }
            if name.equalsIgnoringCase("banners") { return .banners }
            if name.equalsIgnoringCase("group") { return .group }
            if name.equalsIgnoringCase("keepalive") { return .keepalive }
            if name.equalsIgnoringCase("linger") { return .linger }
            if name.equalsIgnoringCase("nice") { return .nice }
            if name.equalsIgnoringCase("rfc931") { return .rfc931 }
            if name.equalsIgnoringCase("setenv") { return .setenv }
            if name.equalsIgnoringCase("umask") { return .umask }
            return name.equalsIgnoringCase("user") ? .user : nil
        }

        var takesValue: Bool { self != .allow && self != .deny && self != .keepalive }
        var needsValue: Bool { takesValue && self != .nice && self != .rfc931 }
        var mustBeLast: Bool { self == .allow || self == .deny || self == .twist }
        /// Whether `%a` and the like in its value stand for something.
        var expands: Bool { self == .aclexec || self == .setenv || self == .spawn || self == .twist }
    }
}

/// The options of a rule, one by one.
package struct RuleOptions {
    private var position: Int
    private let end: Int
    private var isOver = false

    package init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    package mutating func next(of text: Span<UInt8>) -> RuleOption? {
        if isOver { return nil }
        let start = position
        while position < end && text[position] != UInt8(ascii: ":") {
            let isEscaped =
                text[position] == UInt8(ascii: "\\") && position + 1 < end && text[position + 1] == UInt8(ascii: ":")
            position += isEscaped ? 2 : 1
        }
        let stop = position
        isOver = position == end
        position += 1
        return RuleOption(text, start..<stop, isLast: isOver)
    }
}

extension RuleOption {
    /// The value as a number, in decimal with an optional sign, or for `umask` in octal; `nil` if there is none. Others
    /// than the option takes are no numbers to RuleMatcher, which then denies.
    package func number(in text: Span<UInt8>) -> Int32? {
        var number: Int64 = 0
        var isNegative = false
        if value.isEmpty { return nil }
        for index in value {
            let byte = text[index]
            if index == value.lowerBound && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")) {
                isNegative = byte == UInt8(ascii: "-")
            } else if byte.isDigit && number <= Int64(Int32.max) {
                number = number * (keyword == .umask ? 8 : 10) + Int64(byte - UInt8(ascii: "0"))
            } else {
                return nil
            }
        }
        return Int32(exactly: isNegative ? -number : number)
    }
}

extension RuleOption {
    fileprivate init(_ text: Span<UInt8>, _ range: Range<Int>, isLast: Bool) {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end && text[start].isBlank { start += 1 }
        while end > start && text[end - 1].isBlank { end -= 1 }
        var stop = start
        while stop < end && !text[stop].isBlank && text[stop] != UInt8(ascii: "=") { stop += 1 }
        name = start..<stop
        keyword = Keyword(text.extracting(name))
        // Blanks, an equals sign at most, and blanks again.
        start = stop
        while start < end && text[start].isBlank { start += 1 }
        if start < end && text[start] == UInt8(ascii: "=") { start += 1 }
        while start < end && text[start].isBlank { start += 1 }
        value = start..<end
        self.isLast = isLast
    }
}

extension Rule {
    /// Whether a command may leave what the rule matches to the next file.
    var hasCommandThatDecides: Bool {
        mutating get {
            guard let range = options else { return false }
            return withText { text in
                var options = RuleOptions(range)
                while let option = options.next(of: text) {
                    if option.keyword == .aclexec { return true }
                }
                return false
            }
        }
    }
}
