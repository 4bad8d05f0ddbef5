import HostRules
import ScanCore

/// The input is a rule file, and behind a byte of 0xff the pattern file /a: whatever they hold, each problem is told
/// with a place that is in them, in one line of printable text; and a table of exempt sources, if one comes of it, says
/// of each source what the rules say.
@c(LLVMFuzzerTestOneInput)
public func rulesFileFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let file = Array(input.prefix { $0 != 0xff })
    let patterns = Array(input.dropFirst(file.count + 1))
    let system = CaseSystem(files: [Array("/a".utf8): patterns])
    for purpose in [RuleFilePurpose.allow, .deny, .exempt] {
        var judge = Judge(file: file, patterns: patterns)
        var ruleCheck = RuleLinter(purpose, reportsImplicitAllow: true)
        var lines = 0
        let lentBefore = system.lent
        while ruleCheck.next(of: file.span, system, &judge) != nil { lines += 1 }
        check(lines <= file.split(separator: 10, omittingEmptySubsequences: false).count, "\(lines) lines")
        let read = file.count + system.lent - lentBefore
        check(ruleCheck.steps <= 600 * read, "\(ruleCheck.steps) steps for \(read) bytes")
    }
    checkExempt(file, patterns, system)
    return 0
}

/// Looks at each problem.
private struct Judge: RuleProblemSink {
    let file: [UInt8]
    let patterns: [UInt8]
    private(set) var count = 0

    init(file: [UInt8], patterns: [UInt8]) {
        self.file = file
        self.patterns = patterns
    }

    mutating func receive(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
        count += 1
        let line = LogLine(problem, word: word, file: (patternFile.isEmpty ? [102] : patternFile.array).span)
        let text = (0..<line.count).map { line.bytes[$0] }
        check(text.allSatisfy { $0 >= 32 && $0 < 127 }, "bytes that are no text")
        check(line.count < LogLine.capacity, "a line of \(line.count) bytes")
        checkPlace(problem, word.array, in: patternFile.isEmpty ? file : patterns)
    }

    private func checkPlace(_ problem: RuleProblem, _ word: [UInt8], in file: [UInt8]) {
        var lines = file.split(separator: 10, omittingEmptySubsequences: false)
        if let first = lines.first, first.starts(with: [0xef, 0xbb, 0xbf]) { lines[0] = first.dropFirst(3) }
        check(problem.line >= 1 && problem.line <= lines.count, "line \(problem.line) of \(lines.count)")
        check(problem.earlierLine >= 0 && problem.earlierLine <= lines.count, "line \(problem.earlierLine)")
        if problem.column == 0 || word.isEmpty { return }
        // What stands there is the word, or its beginning where a backslash joins lines.
        let rest = lines[problem.line - 1].dropFirst(problem.column - 1)
        let isThere = rest.starts(with: word) || rest.last == 92 && word.starts(with: rest.dropLast())
        check(isThere, "\(word) is not in line \(problem.line), column \(problem.column)")
    }
}

private func checkExempt(_ file: [UInt8], _ patterns: [UInt8], _ system: CaseSystem) {
    var rules = ExemptRules()
    var judge = Judge(file: file, patterns: patterns)
    let isGood = rules.compile(file.span, system, &judge)
    check(judge.count == (isGood ? 0 : 1), "\(judge.count) problems")
    check((refusals(of: file, patterns, system) == 0) == isGood, "told one by one, it is another verdict")
    if !isGood {
        check(rules.count == 0, "rules of a file that was refused")
        return
    }
    for source in sources(in: file + [10] + patterns) {
        let decision = rules.decision(for: source)
        guard let daemon = FixedName(Array("scanlogd".utf8).span) else { fatalError("no name") }
        var search = RuleMatcher(RuleQuery(daemon: daemon, client: RuleHost(address: source)), in: .allow)
        let expected = search.decide(file.span, system)
        check(decision?.line == expected?.line, "\(decision?.line ?? 0) where the rules say \(expected?.line ?? 0)")
        guard let decision, let expected else { continue }
        let isDenied = expected.verdict == .denied
        check(!isDenied || decision.verdict != .exempt, "exempt by a rule that denies")
        check(isDenied || decision.verdict != .reported, "reported by a rule that grants")
    }
}

/// How many problems there are in lines that are told one by one.
private func refusals(of file: [UInt8], _ patterns: [UInt8], _ system: CaseSystem) -> Int {
    var rules = ExemptRules()
    var judge = Judge(file: file, patterns: patterns)
    var reader = RuleReader()
    var rule = Rule()
    while let line = reader.next(of: file.span, into: &rule) { rules.add(line, &rule, in: file.span, system, &judge) }
    return judge.count
}

/// Addresses that the text speaks of, and some others; none that is mapped, which the table takes for what it is, and
/// not the one that is in no net for libwrap.
private func sources(in text: [UInt8]) -> [Address] {
    var found = [Address(ipv4: 0x0a01_0101), Address(ipv6High: 0x2001_0db8_0000_0000, low: 1)]
    let letters = Array("0123456789abcdefABCDEF.:".utf8)
    for word in text.split(whereSeparator: { !letters.contains($0) }).prefix(16) {
        for tail in ["", "1", "1.1", "1.1.1", "0", "::1"] {
            guard let address = Address((Array(word) + Array(tail.utf8)).span) else { continue }
            let isMapped = !address.isIPv4 && address.high == 0 && address.low >> 32 == 0xffff
            if !isMapped && !(address.isIPv4 && address.low == 0xffff_ffff) { found.append(address) }
        }
    }
    return found
}
