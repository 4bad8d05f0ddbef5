/// Where the rules of a file stand that may hide later ones.
struct EarlierRules: ~Copyable {
    /// How many are kept.
    static var capacity: Int { 256 }

    private var starts = InlineArray<256, Int>(repeating: 0)
    private var lines = InlineArray<256, Int>(repeating: 0)
    private(set) var count = 0
    /// The line of the first rule that matches everything; 0: none.
    var lineOfAll = 0

    mutating func add(_ rule: borrowing Rule) {
        if count == Self.capacity { return }
        starts[count] = rule.start
        lines[count] = rule.firstLine
        count += 1
    }

    /// Where the rule of an index stands.
    mutating func reader(at index: Int) -> RuleReader {
        RuleReader(at: starts[index], line: lines[index])
    }
}

extension RuleCheck {
    /// Looks for an earlier rule that matches all that the last one can, and keeps the last one if it may hide others.
    mutating func checkReach<Sink: RuleProblemSink & ~Copyable>(_ file: Span<UInt8>, _ sink: inout Sink) {
        if allowedBefore > 0 {
            rule.report(.allowedBefore, earlierLine: allowedBefore, in: file, to: &sink)
            allowedBefore = 0  // once is enough
        }
        if earlier.lineOfAll > 0 {
            isShadowed = true
            rule.report(.afterAll, earlierLine: earlier.lineOfAll, in: file, to: &sink)
            return
        }
        var other = Rule()
        for index in 0..<earlier.count {
            var reader = earlier.reader(at: index)
            guard case .rule = reader.next(of: file, into: &other), other.covers(&rule) else { continue }
            isShadowed = true
            rule.report(.shadowed, earlierLine: other.line, in: file, to: &sink)
            return
        }
        if rule.coversAll {
            earlier.lineOfAll = rule.line
        } else if rule.isWide {
            earlier.add(rule)
        }
    }
}
