/// The two files, in the order they are looked through.
public enum RuleFile: Sendable {
    /// /etc/hosts.allow: a rule that matches grants.
    case allow
    /// /etc/hosts.deny: a rule that matches denies.
    case deny
}

/// One rule, `daemons : clients [ : option ... ]`, in fixed memory of a little more than 2 KiB.
public struct Rule: ~Copyable {
    /// The most bytes of a rule, with the newline at its end and the backslashes and newlines that joined it.
    public static let capacity = 2047

    /// The bytes of the rule without newlines: the first `count` count.
    private(set) var text = InlineArray<2048, UInt8>(repeating: 0)
    private(set) var count = 0

    /// The number of the last line it stands on, from 1.
    public internal(set) var line = 0
    /// The number of the first line it stands on.
    public internal(set) var firstLine = 0
    /// Where in the file it begins, in bytes.
    var start = 0
    /// Where in the file the line after it begins.
    var end = 0

    /// The last byte whose place was looked for, and where it stands.
    var lastOffset = 0
    var lastPosition = 0
    var lastPlace = RulePlace(line: 0, column: 1)
    /// What it has taken to find places.
    var placeSteps = 0

    private(set) var daemons = 0..<0
    private(set) var clients = 0..<0
    /// The options with the blanks around them; `nil` if no colon follows the clients.
    package private(set) var options: Range<Int>?

    /// An empty rule.
    public init() {}

    /// Lends the text of the rule, without newlines.
    @inline(__always)
    public mutating func withText<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(text.span.extracting(0..<count))
    }

    mutating func begin(at start: Int, line: Int) {
        count = 0
        self.start = start
        self.line = line
        firstLine = line
        lastOffset = 0
        lastPosition = start
        lastPlace = RulePlace(line: line, column: 1)
        placeSteps = 0
    }

    /// Appends bytes of the file.
    mutating func append(_ part: Span<UInt8>) {
        for index in part.indices { text[count + index] = part[index] }
        count += part.count
    }

    /// Finds the fields, and returns whether there are two at least.
    mutating func split() -> Bool {
        let text = text.span.extracting(0..<count)
        guard let first = Self.colon(in: text, from: 0) else { return false }
        daemons = 0..<first
        if let second = Self.colon(in: text, from: first + 1) {
            clients = first + 1..<second
            options = second + 1..<count
        } else {
            clients = first + 1..<count
            options = nil
        }
        return true
    }

    /// The next colon with as many brackets opened as closed before it, as libwrap counts them: one without its other
    /// half, of either kind, hides all colons that follow.
    private static func colon(in text: Span<UInt8>, from start: Int) -> Int? {
        var depth = 0
        for index in start..<text.count {
            switch text[index] {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ":") where depth == 0: return index
            default: break
            }
        }
        return nil
    }
}
