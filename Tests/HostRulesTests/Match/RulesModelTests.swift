import HostRules
import ScanCore
import Testing

/// The matcher beside a model of it that shares no line with it, on rules made up at random of what rules are made of.
struct RulesModelTests {
    @Test func theMatcherDecidesAsTheModelDoes() {
        var maker = RuleMaker(seed: Seed.value)
        var decided: [String: Int] = [:]
        for number in 0..<4000 {
            let input = maker.input()
            let verdicts = RulesVerdicts(input)
            #expect(verdicts.found == verdicts.expected, "case \(number): \(String(decoding: input, as: UTF8.self))")
            #expect(verdicts.fault == nil, "case \(number): \(String(decoding: input, as: UTF8.self))")
            decided[String(verdicts.found.prefix(4)), default: 0] += 1
        }
        // What nothing decides proves little.
        for verdict in ["gran", "deni", "dele", "open"] { #expect(decided[verdict, default: 0] > 5, "\(decided)") }
    }

    /// Steps for a rule of one pattern and a client of one name.
    private func steps(_ pattern: String, _ name: String) -> (steps: Int, verdict: String) {
        let host = RuleHost(address: .of("192.0.2.1"), name: .known(.of(name)))
        var search = RuleMatcher(RuleQuery(daemon: .of("sshd"), client: host), in: .deny)
        let decision = search.decide(Array("ALL: \(pattern)\n".utf8).span, TestSystem())
        return (search.steps, decision.map { "\($0.verdict)" } ?? "open")
    }

    @Test func noPatternTakesMoreStepsThanItsLengthTimesThatOfTheName() {
        let name = String(repeating: "a", count: 254) + "b"
        let longest = 2047 - 7
        let patterns = [
            String(repeating: "*a", count: 8) + "c", String(repeating: "*a", count: longest / 2),
            String(repeating: "*", count: longest - 1) + "c", "*" + String(repeating: "a", count: 200) + "c",
            String(repeating: "*a?", count: longest / 3), String(repeating: "?", count: 256),
            String(repeating: "*" + String(repeating: "a", count: 120) + "c", count: 16),
        ]
        for pattern in patterns {
            let (steps, verdict) = steps(pattern, name)
            #expect(verdict == "open")
            #expect(steps <= 600 * (pattern.utf8.count + 7), "\(pattern.prefix(20)): \(steps)")
        }
        #expect(steps(String(repeating: "*a", count: 8) + "b", name).verdict == "denied")
    }

    @Test func aRuleReadsNoMoreThan64PatternFiles() {
        let words = { (count: Int) in Array(repeating: "/f", count: count).joined(separator: " ") }
        let system = TestSystem(files: ["/f": Array("10.9.9.9".utf8)])
        let client = "10.1.1.1"
        let most = decide(allow: nil, deny: Array("ALL: \(words(64)) 10.1.1.2\n".utf8), client: client, system: system)
        #expect(most == .noRule)
        let more = decide(allow: Array("ALL: \(words(65))\n".utf8), deny: nil, client: client, system: system)
        #expect(Outcome(more) == Outcome("denied", "allow:1"))
        #expect(more.reason == .tooManyPatternFiles)
    }

    @Test(arguments: ["unknown", "Unknown", "paranoid", "PARANOID"])
    func twoNamesAreWordsForHostsWithout(_ word: String) {
        let host = RuleHost(address: .of("10.1.1.1"), name: .known(.of(word)))
        let isParanoid = word.lowercased() == "paranoid"
        for (rule, isMatched) in [
            ("ALL: KNOWN", false), ("ALL: LOCAL", false), ("ALL: UNKNOWN", !isParanoid), ("ALL: PARANOID", isParanoid),
            ("ALL@KNOWN: ALL", false), ("ALL@LOCAL: ALL", false), ("ALL@10.1.1.1: ALL", true),
        ] {
            var search = RuleMatcher(RuleQuery(daemon: .of("sshd"), server: host, client: host), in: .deny)
            let decision = search.decide(Array("\(rule)\n".utf8).span, TestSystem())
            #expect((decision != nil) == isMatched, "\(rule)")
        }
    }

    @Test func patternFilesMayBeFourDeep() {
        func system(_ depth: Int) -> TestSystem {
            var files: [String: [UInt8]] = ["/\(depth)": Array(text: "10.1.1.1")]
            for number in 1..<depth { files["/\(number)"] = Array(text: "/\(number + 1)") }
            return TestSystem(files: files)
        }
        let file = Array(text: "ALL: /1\n")
        #expect(decide(allow: file, deny: nil, client: "10.1.1.1", system: system(4)).reason == .rule)
        #expect(decide(allow: file, deny: nil, client: "10.1.1.1", system: system(5)).reason == .tooManyPatternFiles)
    }
}

/// Makes up queries and rule files, of words that often match and of words that are wrong.
private struct RuleMaker {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    private mutating func pick(_ words: [String]) -> String { words[Int(random.next() % UInt64(words.count))] }

    private mutating func chance(_ of: UInt64) -> Bool { random.next() % of == 0 }

    /// The input of a `RulesCase`.
    mutating func input() -> [UInt8] {
        let query = [
            pick(["sshd", "sshd", "in.ftpd", "SSHD", "22", "scanlogd", "unknown", "x"]),
            pick(["", "", "10.0.0.9", "2001:db8::9", "::ffff:10.0.0.9"]),
            pick(["", "22", "0", "65535"]),
            pick(["", "root", "bob", "unknown"]),
            pick([
                "10.1.1.1", "10.1.1.1", "10.1.1.2", "10.11.1.1", "192.0.2.1", "2001:db8::1", "2001:db9::1", "fe80::1",
                "::ffff:10.1.1.1", "::1.2.3.4", "::1", "255.255.255.255", "0.0.0.0", "",
            ]),
            pick(["", "", "www.example.com", "host", "paranoid", "WWW.x", "a.b.example.com", "1.1.1.1", "Unknown"]),
        ].joined(separator: "\n")
        let parts = [query, file(), file(), patterns(), patterns()]
        return Array(parts.map { Array($0.utf8) }.joined(separator: [0xff]))
    }

    private mutating func file() -> String {
        var text = chance(20) ? "\u{feff}" : ""
        for _ in 0..<random.next() % 8 { text += line() }
        if chance(8) { text += pick(["\\\n", "\\", "ALL: ALL \\\n", "ALL: ALL \\"]) }
        if chance(8), text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    private mutating func line() -> String {
        switch random.next() % 24 {
        case 0:
            return pick(["# comment\n", "# comment \\\n", "\n", " \t\n", " # x: y\n", "nonsense\n", "x\0: y\n", "\r\n"])
        case 1: return "ALL: " + String(repeating: "10.9.9.9 ", count: 226 + Int(random.next() % 3)) + "ALL\n"
        default: break
        }
        var text = list(of: daemonWord) + pick([":", " : ", ": "]) + list(of: clientWord)
        while chance(2) { text += pick([":", " : ", ": "]) + option() }
        if chance(12) { text = text.replacingOccurrence(of: " ", with: " \\\n") }
        return text + pick(["\n", "\n", "\n", "\r\n", " \n", "\\\n"])
    }

    private mutating func list(of word: (inout RuleMaker) -> String) -> String {
        var text = ""
        for _ in 0...random.next() % 3 {
            text += word(&self) + pick([" ", ",", ", ", "\t", " EXCEPT ", " except "])
        }
        return chance(2) ? text + word(&self) : text
    }

    private var daemonWord: (inout RuleMaker) -> String {
        { maker in
            maker.pick([
                "ALL", "ALL", "sshd", "sshd", "in.*", "in.", ".ftpd", "s?hd", "22", "0022", "65536", "KNOWN", "unknown",
                "*", "LOCAL", "sshd@10.0.0.9", "ALL@10.0.0.0/24", "sshd@[2001:db8::9]", "22@ALL", "sshd@", "sshd@KNOWN",
                "@x", "/a", "[x:y]", "",
            ])
        }
    }

    private var clientWord: (inout RuleMaker) -> String {
        { maker in maker.hostWord() }
    }

    private mutating func hostWord() -> String {
        let user = chance(8) ? pick(["root@", "ALL@", "KNOWN@", "UNKNOWN@", "b?b@", "ro.@", "x@", "@x@"]) : ""
        return user
            + pick([
                "ALL", "10.1.1.1", "10.1.1.1", "10.1.1.2", "10.", "10.1.", "192.0.2.", ".1.1", "10.1.1.*", "1?.1.1.1",
                "*", "*.*.*.*", "10.0.0.0/8", "10.1.1.0/24", "10.1.1.0/255.255.255.0", "10.0.1.0/255.0.255.0",
                "10.1.1.1/24", "0xa.1.1.0/24", "012.1.1.0/24", "10.1.1.0/024", "10.1.1.0/", "10.1.1.0/24x",
                "10.1.1.0/33",
                "10.1.1.1/32", "0.0.0.0/0.0.0.0", "128.0.0.0/1", "[2001:db8::1]", "[2001:DB8:0:0::1]",
                "[2001:db8::]/32",
                "[2001:db8::ffff]/33", "[::]/0", "[fe80::1%eth0]", "[fe80::]/10", "[2001:db8::]/", "[2001:db8::]/129",
                "[::ffff:10.1.1.1]", "[::ffff:10.1.1.0]/120", "[10.1.1.1]", "[::1.2.3.4]", "[2001:db8::1", "[x:y]",
                "2001:db8::1", ".example.com", "www.example.com", "*.example.com", "w*.e?ample.*", "www.", "LOCAL",
                "KNOWN", "UNKNOWN", "PARANOID", "unk*", "p*d", "HOST", "/a", "/b", "/none", "@group", "1.1.1.1",
                "999.1.1.1", "10.1.1", ".", "..", "FAIL", "x@", "#",
            ])
    }

    private mutating func option() -> String {
        pick([
            "allow", "deny", "ALLOW", "deny", "severity info", "severity mail.info", "severity authpriv.info",
            "severity", "spawn echo a\\:b", "spawn", "twist /bin/echo", "twist /bin/x", "twist x", "twist = y",
            "setenv A B", "umask 022",
            "umask = 8", "umask +777", "umask 1000", "nice", "nice -5", "nice 5 5", "user root", "user root.wheel",
            "user x", "user root.", "group wheel", "group x", "banners /x", "linger 5", "linger -0", "linger -1",
            "keepalive", "keepalive =", "keepalive 1", "rfc931", "rfc931 5", "rfc931 0", "aclexec /bin/x", "frob", "",
            "nice 2147483647", "nice 2147483648", "allow x",
        ])
    }

    private mutating func patterns() -> String {
        var text = chance(20) ? "\u{feff}" : ""
        for _ in 0..<random.next() % 4 {
            text += pick(["", "", "", "# ", " # "])
            for _ in 0...random.next() % 3 {
                text += pick([hostWord(), hostWord(), "/b", "/a"]) + pick([" ", "\t", "\n", ",", "\u{b}"])
            }
            text += "\n"
        }
        return text
    }
}

extension String {
    /// The text with the first of some texts in it replaced.
    fileprivate func replacingOccurrence(of text: Character, with other: String) -> String {
        guard let index = firstIndex(of: text) else { return self }
        return self[..<index] + other + self[self.index(after: index)...]
    }
}
