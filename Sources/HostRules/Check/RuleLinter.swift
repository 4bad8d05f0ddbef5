/// What a file is for.
public enum RuleFilePurpose: Sendable {
    case allow
    case deny
    /// Sources that scanlogd does not report. What ``ExemptRules`` refuses is not reported by ``RuleLinter``.
    case exempt
}

/// Finds what is wrong in a rule file, line by line, in fixed memory.
///
/// It knows what tcpdchk knows, but for what takes a resolver or inetd.conf: whether a host has a name, or a daemon is
/// run. A rule that is never reached because of an earlier one is found if what it names is in ``EarlierRules``, of the
/// file, and of hosts.allow before hosts.deny.
///
/// A rule takes time linear in its length, and in that of the pattern files it names.
public struct RuleLinter<Memory: RulePairMemory & ~Copyable>: ~Copyable {
    let purpose: RuleFilePurpose
    private let reportsImplicitAllow: Bool
    private let isForWrap: Bool
    private var reader = RuleReader()
    private var earlier: EarlierRules<Memory>
    /// Those of hosts.allow, for hosts.deny.
    private var allowed: EarlierRules<Memory>
    private var hasReportedAllowed = false

    var rule = Rule()

    /// Whether the last rule was found to be never reached.
    private var isShadowed = false

    /// What all lines so far have taken, for the tests of the bound.
    package internal(set) var steps = 0

    /// A check that begins at the first line.
    ///
    /// - Parameters:
    ///   - reportsImplicitAllow: whether a rule that grants without saying so is a problem.
    ///   - isForWrap: whether it is a problem if `scanlogd wrap` does less for an option than libwrap.
    ///   - allowed: for hosts.deny, the rules of hosts.allow; else none.
    ///   - memory: for the rules of this file.
    public init(
        _ purpose: RuleFilePurpose, reportsImplicitAllow: Bool = false, isForWrap: Bool = false,
        after allowed: consuming EarlierRules<Memory>,
        in memory: consuming Memory
    ) {
        self.purpose = purpose
        self.reportsImplicitAllow = reportsImplicitAllow
        self.isForWrap = isForWrap
        self.allowed = allowed
        earlier = EarlierRules(memory)
    }

    /// The rules that may hide those of the next file.
    public consuming func finish() -> EarlierRules<Memory> { earlier }

    /// Lends the line that was read last.
    public mutating func withRule<Result>(_ body: (inout Rule) -> Result) -> Result {
        body(&rule)
    }

    /// Reads the next line, reports what is wrong with it, and returns what it is; `nil` at the end of the file.
    ///
    /// - Parameters:
    ///   - text: the file, the same each time.
    ///   - sink: gets the problems.
    ///   - checkLine: reports what else is wrong with the line. What it reports stands before what comes of earlier rules
    ///     that name the same.
    public mutating func next<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        of text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink,
        checkLine: (RuleLine, inout Rule, inout Sink) -> Void = { _, _, _ in }
    ) -> RuleLine? {
        guard let line = reader.next(of: text, into: &rule) else { return nil }
        isShadowed = false
        let filter: RuleProblemReporter<Sink>.Filter = purpose == .exempt ? .hints : .all
        var reporter = RuleProblemReporter(filter, to: sink)
        check(line, in: text, system, &reporter)
        sink = reporter.finish()
        steps += rule.count + rule.placeSteps
        checkLine(line, &rule, &sink)
        if case .rule = line {
            reporter = RuleProblemReporter(filter, to: sink)
            checkPairs(&reporter)
            sink = reporter.finish()
        }
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

    /// Looks for an earlier rule that matches all that the last one can, and remembers the last one if it may hide others.
    private mutating func checkReach<Sink: RuleProblemSink & ~Copyable>(
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        if allowed.wide.decidingLineOfAll > 0 {
            if !hasReportedAllowed { report(.allowedBefore, by: allowed.wide.decidingLineOfAll, &reporter) }
            hasReportedAllowed = true  // once is enough
            isShadowed = true
            return
        }
        if earlier.wide.lineOfAll > 0 { return report(.afterAll, by: earlier.wide.lineOfAll, &reporter) }
        var work = MatchBudget()
        if let line = earlier.wide.line(hiding: &rule, &work) {
            report(.shadowed, by: line, &reporter)
        } else if let line = allowed.wide.line(hiding: &rule, onlyDeciding: true, &work) {
            report(.shadowedInAllow, by: line, &reporter)
        }
        steps += work.steps
        if !isShadowed { earlier.wide.add(&rule) }
    }

    /// Looks for earlier rules that name all that the last one does, and remembers what that names.
    private mutating func checkPairs<Sink: RuleProblemSink & ~Copyable>(
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        if isShadowed { return }
        if let line = earlier.pairs.line(repeatedBy: &rule) { return report(.repeated, by: line, &reporter) }
        if let lines = earlier.pairs.lines(hiding: &rule) {
            return report(lines.count == 1 ? .shadowed : .shadowedByMany, by: lines.upperBound, &reporter)
        }
        if let line = allowed.pairs.lineAlone(hiding: &rule) { return report(.shadowedInAllow, by: line, &reporter) }
        earlier.pairs.add(&rule)
    }

    private mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, by line: Int, _ reporter: inout RuleProblemReporter<Sink>
    ) {
        isShadowed = true
        reporter.report(kind, in: &rule, earlierLine: line)
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
                } else if isForWrap, let kind = option.keyword?.kindForWrap {
                    reporter.report(kind, option.name, in: &rule, of: file)
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

extension RuleOption.Keyword {
    /// What `scanlogd wrap` does less for an option than libwrap does.
    fileprivate var kindForWrap: RuleProblem.Kind? {
        switch self {
        case .spawn, .twist: .needsTraps
        case .aclexec: .notRunByWrap
        case .rfc931: .nobodyIsAsked
        default: nil
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
