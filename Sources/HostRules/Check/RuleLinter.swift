/// Finds what is wrong in a rule file, line by line, in fixed memory.
///
/// It knows what tcpdchk knows, but for what takes a resolver or inetd.conf: whether a host has a name, or a daemon is
/// run. A rule that is never reached because of an earlier one is found if that one is among those that are kept of the
/// file, and of hosts.allow before hosts.deny, as ``ShadowIndex``; those that name the same can be told by
/// ``Rule/fingerprint`` and ``Rule/allPairs(_:)``.
///
/// A rule takes time linear in its length, and in that of the pattern files it names.
public struct RuleLinter: ~Copyable {
    /// What a file is for.
    public enum Purpose: Sendable {
        case allow
        case deny
        /// Sources that scanlogd does not report. What ``ExemptRules`` refuses is not reported here.
        case exempt
    }

    let purpose: Purpose
    private let reportsImplicitAllow: Bool
    private var reader = RuleReader()
    private var earlier = ShadowIndex()
    /// Those of hosts.allow, for hosts.deny.
    private var allowed: ShadowIndex
    private var hasReportedAllowed = false

    var rule = Rule()

    /// Whether the last rule was found to be never reached.
    public private(set) var isShadowed = false

    /// What all lines so far have taken, for the tests of the bound.
    package internal(set) var steps = 0

    /// A check that begins at the first line.
    ///
    /// - Parameters:
    ///   - reportsImplicitAllow: whether a rule that grants without saying so is a problem.
    ///   - allowed: for hosts.deny, the rules of hosts.allow.
    @inline(never)
    public init(
        _ purpose: Purpose, reportsImplicitAllow: Bool = false, after allowed: consuming ShadowIndex = ShadowIndex()
    ) {
        self.purpose = purpose
        self.reportsImplicitAllow = reportsImplicitAllow
        self.allowed = allowed
    }

    /// The rules that may hide those of the next file.
    public consuming func finish() -> ShadowIndex { earlier }

    /// Lends the line that was read last.
    public mutating func withRule<Result>(_ body: (inout Rule) -> Result) -> Result {
        body(&rule)
    }

    /// Reports that the last rule is never reached, as an earlier line has it.
    ///
    /// - Parameters:
    ///   - kind: `repeated`, `shadowed`, `shadowedByMany` or `shadowedInAllow`.
    ///   - line: the earlier line.
    public mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, by line: Int, in text: Span<UInt8>, _ sink: inout Sink
    ) {
        var reporter = RuleProblemReporter(.all, to: sink)
        report(kind, by: line, &reporter)
        sink = reporter.finish()
    }

    private mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, by line: Int, _ reporter: inout RuleProblemReporter<Sink>
    ) {
        isShadowed = true
        reporter.report(kind, in: &rule, earlierLine: line)
    }

    /// Reads the next line, reports what is wrong with it, and returns what it is; `nil` at the end of the file.
    @inline(never)
    public mutating func next<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        of text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) -> RuleLine? {
        guard let line = reader.next(of: text, into: &rule) else { return nil }
        isShadowed = false
        var reporter = RuleProblemReporter(purpose == .exempt ? .hints : .all, to: sink)
        check(line, in: text, system, &reporter)
        sink = reporter.finish()
        steps += rule.count + rule.placeSteps
        return line
    }

    private mutating func check<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, in text: Span<UInt8>, _ system: borrowing System,
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        checkPlace(text, &reporter)
        switch line {
        case .broken(let kind): reporter.report(kind, in: &rule)
        case .comment where rule.firstLine < rule.line: reporter.report(.joinedComment, in: &rule)
        case .comment, .empty: break
        case .missingColon, .rule:
            var isForOthers = false
            if purpose == .exempt, case .rule = line { isForOthers = ExemptRules.isAboutOthers(&rule, system) }
            if let hash = rule.indentedHash, purpose != .exempt || isForOthers {
                reporter.report(.blankBeforeComment, hash, in: &rule, of: text)
            } else if case .missingColon = line {
                reporter.report(.missingColon, in: &rule)
            } else if isForOthers {
                reporter.report(.otherDaemon, in: &rule)
            } else {
                checkFields(text, system, &reporter)
            }
            if case .rule = line { checkReach(&reporter) }
        }
    }

    /// Looks for an earlier rule that matches all that the last one can, and keeps the last one if it may hide others.
    private mutating func checkReach<Sink: RuleProblemSink & ~Copyable>(
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        if allowed.decidingLineOfAll > 0 {
            if !hasReportedAllowed { report(.allowedBefore, by: allowed.decidingLineOfAll, &reporter) }
            hasReportedAllowed = true  // once is enough
            isShadowed = true
            return
        }
        if earlier.lineOfAll > 0 { return report(.afterAll, by: earlier.lineOfAll, &reporter) }
        var work = MatchBudget()
        if let line = earlier.line(hiding: &rule, &work) {
            report(.shadowed, by: line, &reporter)
        } else if let line = allowed.line(hiding: &rule, onlyDeciding: true, &work) {
            report(.shadowedInAllow, by: line, &reporter)
        }
        steps += work.steps
        if !isShadowed { earlier.add(&rule) }
    }

    /// What comes of where the line stands in the file, and of how it ends.
    private mutating func checkPlace<Sink: RuleProblemSink & ~Copyable>(
        _ text: Span<UInt8>, _ reporter: inout RuleProblemReporter<Sink>
    ) {
        let isLast = rule.end == text.count
        if rule.firstLine == 1 && text.startsWithByteOrderMark { reporter.report(.byteOrderMark, in: &rule) }
        if isLast && text[text.count - 1] != 10 { reporter.report(.missingNewline, in: &rule) }
        let count = rule.count
        let endsInReturn = rule.withText { $0.count >= 2 && $0[count - 1] == 13 && $0[count - 2] == 92 }
        if endsInReturn { reporter.report(.joinBeforeReturn, in: &rule) }
    }

    private mutating func checkFields<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ file: Span<UInt8>, _ system: borrowing System, _ reporter: inout RuleProblemReporter<Sink>
    ) {
        var files = PatternFileStack()
        defer { steps += files.steps }
        if checkDaemons(file, system, &files, &reporter) { return }
        if let address = rule.bareIPv6 {
            reporter.report(.bareIPv6, address, in: &rule, of: file)
            return
        }
        if !checkClients(file, system, &files, &reporter) { checkOptions(file, system, &reporter) }
    }

    private mutating func checkOptions<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ file: Span<UInt8>, _ system: borrowing System, _ reporter: inout RuleProblemReporter<Sink>
    ) {
        if purpose == .exempt { return }
        var isExplicit = false
        if let range = rule.options {
            var options = RuleOptions(range)
            while let option = rule.withText({ options.next(of: $0) }) {
                isExplicit = option.keyword.map { $0.mustBeLast } ?? false
                let fault = rule.withText { option.fault(in: $0, system) }
                if let fault {
                    reporter.report(fault.kind, fault.word, in: &rule, of: file)
                } else if let fault = rule.withText({ option.warning(in: $0, system) }) {
                    reporter.report(fault.kind, fault.word, in: &rule, of: file)
                }
            }
        }
        if reportsImplicitAllow && purpose == .allow && !isExplicit {
            reporter.report(.implicitAllow, in: &rule)
        }
    }
}

extension Rule {
    /// The `#` that the line begins with, behind blanks.
    var indentedHash: Range<Int>? {
        mutating get {
            withText { text in
                var index = 0
                while index < text.count && text[index].isBlank { index += 1 }
                return index < text.count && text[index] == UInt8(ascii: "#") ? index..<index + 1 : nil
            }
        }
    }

    /// An IPv6 address without brackets, of which the list of clients is the first part.
    var bareIPv6: Range<Int>? {
        mutating get {
            let clients = clients
            if options == nil { return nil }
            return withText { text in
                var start = clients.upperBound
                while start > clients.lowerBound && !text[start - 1].isSeparator { start -= 1 }
                var end = start
                while end < text.count && !text[end].isSeparator { end += 1 }
                let word = text.extracting(start..<end)
                let address = word.extracting(0..<(word.firstIndex(of: UInt8(ascii: "/")) ?? word.count))
                return address.ipv6Address() == nil ? nil : start..<end
            }
        }
    }
}

extension RuleOption {
    /// What does not do what it seems to, but does not deny either.
    fileprivate func warning<System: RuleEnvironment & ~Copyable>(
        in text: Span<UInt8>, _ system: borrowing System
    ) -> OptionFault? {
        guard let keyword else { return nil }
        if keyword == .banners && !system.hasDirectory(text.extracting(value)) {
            return OptionFault(kind: .noDirectory, word: value)
        }
        if !keyword.expands { return nil }
        let known = "acdhnprsuAHNR%".utf8Span.span
        var index = value.lowerBound
        while index + 1 < value.upperBound {
            if text[index] == UInt8(ascii: "%") {
                if !known.contains(text[index + 1]) {
                    return OptionFault(kind: .unknownExpansion, word: index..<index + 2)
                }
                index += 1
            }
            index += 1
        }
        return nil
    }
}
