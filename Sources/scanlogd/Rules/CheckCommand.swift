#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// Prints what is wrong in the rule files, and returns the exit status.
    func checkRules(_ options: RulesOptions) throws(SystemError) -> Int32 {
        if let extra = options.operands[0] { return refuse(extra, "none is expected") }
        var seen = try SeenRules()
        if let exempt = options.exempt {
            var check = CheckCommand(exempt, options)
            try check.run(.exempt, isGiven: true, &seen)
            return check.status
        }
        var allow = CheckCommand(options.allow ?? "/etc/hosts.allow", options)
        try allow.run(.allow, isGiven: options.allow != nil, &seen)
        var deny = CheckCommand(options.deny ?? "/etc/hosts.deny", options)
        try deny.run(.deny, isGiven: options.deny != nil, &seen)
        return max(allow.status, deny.status)
    }

    /// What is remembered of the rules of a file, those that may hide others and each of them.
    private struct SeenRules: ~Copyable {
        var earlier = ShadowIndex()
        var repeated: RulePairTable

        init() throws(SystemError) {
            repeated = try RulePairTable()
        }
    }

    /// Prints problems, and counts them.
    struct RulesReport: RuleProblemSink {
        private let path: CString
        /// Whether they are said on standard error, and not printed.
        private let complains: Bool
        /// Whether they are about a file of exempt sources.
        private let isForExempt: Bool
        var output = EscapedOutput()
        private(set) var count = 0

        init(_ path: CString, isForExempt: Bool = false, complains: Bool = false) {
            self.path = path
            self.complains = complains
            self.isForExempt = isForExempt || complains
        }

        mutating func receive(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
            count += 1
            if patternFile.isEmpty {
                path.withBytes { add(LogLine(problem, word: word, file: $0, isForExempt: isForExempt)) }
            } else {
                add(LogLine(problem, word: word, file: patternFile, isForExempt: isForExempt))
            }
        }

        private mutating func add(_ line: LogLine) {
            if complains { return warn(line) }
            output.add(line)
            output.add("\n")
        }
    }

    /// The check of one file.
    private struct CheckCommand {
        private let path: CString
        private let options: RulesOptions
        private var report: RulesReport
        private var isUnreadable = false

        /// The exit status.
        var status: Int32 { isUnreadable || report.count > 0 ? 1 : 0 }

        init(_ path: CString, _ options: RulesOptions) {
            self.path = path
            self.options = options
            report = RulesReport(path, isForExempt: options.exempt != nil)
        }

        /// Checks the file, in which `seen`, of the file before it, is replaced.
        mutating func run(_ purpose: RuleLinter.Purpose, isGiven: Bool, _ seen: inout SeenRules) throws(SystemError) {
            do throws(SystemError) {
                let opened =
                    purpose == .exempt ? try ExemptFile.read(path) : try openRules(isGiven ? path : nil, or: path)
                guard let text = opened else { return }
                var before = try SeenRules()
                swap(&before, &seen)
                text.withBytes { check($0, purpose, after: &before, &seen) }
                if let failure = seen.repeated.failure { throw failure }
            } catch {
                warn(error.line)
                isUnreadable = true
            }
            try report.output.finish()
        }

        private mutating func check(
            _ text: Span<UInt8>, _ purpose: RuleLinter.Purpose, after before: inout SeenRules, _ seen: inout SeenRules
        ) {
            var earlier = ShadowIndex()
            swap(&earlier, &before.earlier)
            var check = RuleLinter(purpose, reportsImplicitAllow: options.reportsImplicitAllow, after: earlier)
            var exempt = ExemptRules()
            let system = purpose == .exempt ? ExemptFile.system : HostEnvironment()
            if options.isVerbose { printRules(text) }
            while let line = check.next(of: text, system, &report) {
                if purpose == .exempt { check.withRule { exempt.add(line, &$0, in: text, system, &report) } }
                guard case .rule = line, !check.isShadowed else { continue }
                if let line = check.withRule({ seen.repeated.line(repeatedBy: &$0) }) {
                    check.report(.repeated, by: line, in: text, &report)
                } else if let lines = check.withRule({ seen.repeated.lines(hiding: &$0) }) {
                    let kind = lines.count == 1 ? RuleProblem.Kind.shadowed : .shadowedByMany
                    check.report(kind, by: lines.upperBound, in: text, &report)
                } else if let line = check.withRule({ before.repeated.lineAlone(hiding: &$0) }) {
                    check.report(.shadowedInAllow, by: line, in: text, &report)
                } else {
                    check.withRule { seen.repeated.add(&$0) }
                }
            }
            seen.earlier = check.finish()
        }

        private mutating func printRules(_ text: Span<UInt8>) {
            var reader = RuleReader()
            var rule = Rule()
            while let line = reader.next(of: text, into: &rule) {
                guard case .rule = line else { continue }
                report.output.add(place: path, rule.line)
                report.output.add("rule: ")
                report.output.add(&rule)
                report.output.add("\n")
            }
        }
    }
#endif
