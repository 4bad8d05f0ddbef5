#if Rules
    import HostRules
    import System
    import Testing

    @testable import scanlogd

    /// Which rule an earlier one repeats, for thousands of them, as `scanlogd rules check` asks.
    struct RulePairTableTests {
        /// The lines of rules that an earlier rule repeats, with its line.
        private func repeated(_ rules: [String]) throws -> [Int: Int] {
            let text = Array(rules.map { $0 + "\n" }.joined().utf8)
            var table = try RulePairTable()
            var found: [Int: Int] = [:]
            var reader = RuleReader()
            var rule = Rule()
            while let line = reader.next(of: text.span, into: &rule) {
                guard case .rule = line else { continue }
                if let line = table.line(repeatedBy: &rule) { found[rule.line] = line }
                table.add(&rule)
            }
            #expect(table.failure == nil)
            return found
        }

        @Test func aRuleOfTheSameListsIsFound() throws {
            #expect(try repeated(["sshd: 10.1.1.1", "ftpd: 10.1.1.1", " SSHD : 10.1.1.1"]) == [3: 1])
            #expect(try repeated(["ALL: 10.1.1.1", "sshd: 10.1.1.1"]) == [2: 1])
            #expect(try repeated(["sshd: 10.1.1.1", "ALL: 10.1.1.1"]) == [:])
        }

        @Test func thousandsOfRulesAreKeptAsTheTableGrows() throws {
            let rules = (0..<20_000).map { "d\($0): 10.0.\($0 / 256).\($0 % 256)" }
            let again = [0, 1, 511, 512, 513, 9_999, 19_999]
            let found = try repeated(rules + again.map { rules[$0] })
            var expected: [Int: Int] = [:]
            for (index, line) in again.enumerated() { expected[20_001 + index] = line + 1 }
            #expect(found == expected)
        }

        @Test func aRuleWhosePairsAreAllNamedIsHidden() throws {
            let text = Array("a: x\nb: x\na b: x\na b: y\n".utf8)
            var table = try RulePairTable()
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
    }
#endif
