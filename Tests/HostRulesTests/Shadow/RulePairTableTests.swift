import Testing

@testable import HostRules

/// Which rule an earlier one repeats, for thousands of them, as `scanlogd rules check` asks.
struct RulePairTableTests {
    /// The lines of rules that an earlier rule repeats, with its line.
    private func repeated(_ rules: [String]) -> [Int: Int] {
        let text = Array(rules.map { $0 + "\n" }.joined().utf8)
        var table = RulePairTable(ArrayMemory())
        var found: [Int: Int] = [:]
        var reader = RuleReader()
        var rule = Rule()
        while let line = reader.next(of: text.span, into: &rule) {
            guard case .rule = line else { continue }
            if let line = table.line(repeatedBy: &rule) { found[rule.line] = line }
            table.add(&rule)
        }
        return found
    }

    @Test func aRuleOfTheSameListsIsFound() {
        #expect(repeated(["sshd: 10.1.1.1", "ftpd: 10.1.1.1", " SSHD : 10.1.1.1"]) == [3: 1])
        #expect(repeated(["ALL: 10.1.1.1", "sshd: 10.1.1.1"]) == [2: 1])
        #expect(repeated(["sshd: 10.1.1.1", "ALL: 10.1.1.1"]) == [:])
    }

    @Test func thousandsOfRulesAreKeptAsTheTableGrows() {
        let rules = (0..<20_000).map { "d\($0): 10.0.\($0 / 256).\($0 % 256)" }
        let again = [0, 1, 511, 512, 513, 9_999, 19_999]
        let found = repeated(rules + again.map { rules[$0] })
        var expected: [Int: Int] = [:]
        for (index, line) in again.enumerated() { expected[20_001 + index] = line + 1 }
        #expect(found == expected)
    }

    @Test func aRuleWhosePairsAreAllNamedIsHidden() {
        let text = Array("a: x\nb: x\na b: x\na b: y\n".utf8)
        var table = RulePairTable(ArrayMemory())
        var reader = RuleReader()
        var rule = Rule()
        var hidden: [Int: ClosedRange<Int>] = [:]
        while let line = reader.next(of: text.span, into: &rule) {
            guard case .rule = line else { continue }
            if let lines = table.lines(hiding: &rule) { hidden[rule.line] = lines }
            table.add(&rule)
        }
        #expect(hidden == [3: 1...2])
    }

    /// What there is room for is found all the same, and nothing traps.
    @Test func withoutMoreMemoryTheFirstRulesAreKept() {
        struct LimitedMemory: RulePairMemory {
            var slots = ArrayMemory(count: 8)
            var refusals = 0

            var count: Int { slots.count }

            subscript(index: Int) -> RulePairSlot {
                get { slots[index] }
                set { slots[index] = newValue }
            }

            mutating func doubled() -> LimitedMemory? {
                refusals += 1
                return nil
            }
        }
        let rules = (0..<9).map { "d\($0): 10.0.0.\($0)\n" }
        let text = Array((rules + [rules[0], rules[8]]).joined().utf8)
        var table = RulePairTable(LimitedMemory())
        var reader = RuleReader()
        var rule = Rule()
        var found: [Int: Int] = [:]
        while reader.next(of: text.span, into: &rule) != nil {
            if let line = table.line(repeatedBy: &rule) { found[rule.line] = line }
            table.add(&rule)
        }
        #expect(found == [10: 1])
        #expect(table.memory.refusals == 1)
    }
}
