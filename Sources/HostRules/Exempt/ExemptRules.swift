import ScanCore

/// What becomes of the report of a scan.
public enum ExemptVerdict: Equatable, Sendable {
    /// It is logged as always.
    case reported
    /// It is not logged.
    case exempt
    /// It is logged at another level of syslog(3), 0 for emerg to 7 for debug.
    case reportedAt(level: UInt8)
}

/// Which sources are not to be reported, in fixed memory: a rule file, compiled.
///
/// It takes 31,752 bytes, of which a few rules touch the first hundreds. All bytes zero is the empty table: memory that
/// is zero need not be written to become one. What reads it is mutating, also where it changes nothing: else the
/// compiler (Swift 6.3) copies all of it.
///
/// A lookup reads each rule and each pattern once at most, 256 and 1,024 of them; patterns with wildcards, whose text is
/// 4,096 bytes at most in all, take up to 46 steps for each byte of it.
public struct ExemptRules: ~Copyable, Sendable {
    /// The most rules of a file that are about scanlogd.
    public static let ruleLimit = 256

    /// The most patterns of all rules, those in pattern files and each EXCEPT included.
    public static let patternLimit = 1024

    /// The most bytes of all patterns with wildcards.
    public static let textLimit = 4096

    private var ruleCount: UInt16 = 0
    private var patternCount: UInt16 = 0
    private var textCount: UInt16 = 0
    /// Whether something was left out, as there is no room.
    var isFull = false
    private var rules = InlineArray<256, ExemptRule>(repeating: ExemptRule())
    private var patterns = InlineArray<1024, ExemptPattern>(repeating: ExemptPattern(.except))
    private var text = InlineArray<4096, UInt8>(repeating: 0)

    /// A table of no rules: everything is reported.
    public init() {}

    /// How many rules it has.
    public var count: Int { Int(ruleCount) }

    /// What becomes of a report about a source: what the first rule says that matches it; without one it is reported.
    ///
    /// An IPv4-mapped source is not taken for the IPv4 address in it: a packet that has one is forged. ALL and IPv6
    /// nets of at most 96 bits match it, and nothing else.
    public mutating func verdict(for source: Address) -> ExemptVerdict {
        decision(for: source)?.verdict ?? .reported
    }

    /// The first rule that matches a source, and the number of its last line, from 1.
    public mutating func decision(for source: Address) -> (verdict: ExemptVerdict, line: Int)? {
        if ruleCount == 0 { return nil }
        let printed = FixedName(source)
        for index in 0..<Int(ruleCount) where matches(rules[index], source, printed) {
            return (rules[index].verdict, Int(rules[index].line))
        }
        return nil
    }

    private mutating func matches(_ rule: ExemptRule, _ source: Address, _ printed: FixedName) -> Bool {
        var list = ExceptList()
        for index in Int(rule.first)..<Int(rule.first) + Int(rule.count) {
            if patterns[index].kind == .except {
                if !list.endPart() { break }
            } else if !list.hasMatch {
                list.hasMatch = matches(patterns[index], source, printed)
            }
        }
        return list.isMatched
    }

    private mutating func matches(_ pattern: ExemptPattern, _ source: Address, _ printed: FixedName) -> Bool {
        switch pattern.kind {
        case .except: return false
        case .all: return true
        case .net: return source.isIn(UInt32(pattern.first), mask: UInt32(pattern.second))
        case .prefix: return source.isIn(pattern.address, length: Int(pattern.length))
        case .wildcards:
            if source.isIPv4 != source.unmapped.isIPv4 { return false }
            let range = Int(pattern.first)..<Int(pattern.first + pattern.second)
            var work = MatchBudget()
            return printed.withBytes { text.span.extracting(range).matches($0, &work) }
        }
    }
}

/// A rule of the table: a run of its patterns, and what they lead to.
struct ExemptRule: Sendable {
    var first: UInt16 = 0
    var count: UInt16 = 0
    var line: UInt32 = 0
    private var level: UInt8 = 0
    private var kind = Kind.reported

    private enum Kind: Sendable {
        case reported, exempt, reportedAt
    }

    var verdict: ExemptVerdict {
        get {
            switch kind {
            case .reported: .reported
            case .exempt: .exempt
            case .reportedAt: .reportedAt(level: level)
            }
        }
        set {
            switch newValue {
            case .reported: kind = .reported
            case .exempt: kind = .exempt
            case .reportedAt(let level):
                kind = .reportedAt
                self.level = level
            }
        }
    }
}

/// A pattern of the table.
struct ExemptPattern: Sendable {
    enum Kind: Sendable {
        /// No pattern, but the word between two parts of a list.
        case except
        case all
        /// An IPv4 net and its mask.
        case net
        /// The first bits of an IPv6 address.
        case prefix
        /// Where in the text a pattern with wildcards stands, and its length.
        case wildcards
    }

    let kind: Kind
    let length: UInt8
    let first: UInt64
    let second: UInt64

    init(_ kind: Kind, _ first: UInt64 = 0, _ second: UInt64 = 0, length: UInt8 = 0) {
        self.kind = kind
        self.first = first
        self.second = second
        self.length = length
    }

    init(net: UInt32, mask: UInt32) {
        self.init(.net, UInt64(net), UInt64(mask))
    }

    init(_ address: Address, length: Int) {
        self.init(.prefix, address.high, address.low, length: UInt8(length))
    }

    var address: Address { Address(ipv6High: first, low: second) }
}

extension ExemptRules {
    /// Takes all rules out.
    mutating func clear() {
        ruleCount = 0
        patternCount = 0
        textCount = 0
        isFull = false
    }

    /// Begins a rule without patterns that exempts; `false`: there is no room.
    mutating func beginRule(line: Int) -> Bool {
        if count == Self.ruleLimit { return false }
        rules[count].line = UInt32(clamping: line)
        rules[count].first = patternCount
        rules[count].count = 0
        rules[count].verdict = .exempt
        ruleCount += 1
        return true
    }

    /// Sets what the last rule leads to.
    mutating func setVerdict(_ verdict: ExemptVerdict) {
        rules[count - 1].verdict = verdict
    }

    /// Adds a pattern to the last rule; `false`: there is no room.
    mutating func add(_ pattern: ExemptPattern) -> Bool {
        if Int(patternCount) == Self.patternLimit { return false }
        patterns[Int(patternCount)] = pattern
        patternCount += 1
        rules[count - 1].count += 1
        return true
    }

    /// Adds the text of a pattern with wildcards, and returns the pattern; `nil`: there is no room.
    mutating func addText(of word: Span<UInt8>) -> ExemptPattern? {
        let start = Int(textCount)
        if word.count > Self.textLimit - start { return nil }
        for index in word.indices { text[start + index] = word[index] }
        textCount += UInt16(word.count)
        return ExemptPattern(.wildcards, UInt64(start), UInt64(word.count))
    }
}
