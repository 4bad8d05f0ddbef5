#if Rules
    import Capture
    import CLinux
    import HostRules
    import ScanCore

    /// Prints what is wrong in the rule files, and returns the exit status.
    func checkRules(_ options: RulesOptions) throws(SystemError) -> Int32 {
        if let extra = options.operands[0] { return refuse(extra, "none is expected") }
        if let exempt = options.exempt {
            var check = RulesCheck(exempt, options)
            try check.run(.exempt, isGiven: true)
            return check.status
        }
        var allow = RulesCheck(options.allow ?? "/etc/hosts.allow", options)
        try allow.run(.allow, isGiven: options.allow != nil)
        var deny = RulesCheck(options.deny ?? "/etc/hosts.deny", options)
        try deny.run(.deny, isGiven: options.deny != nil, allowedBefore: allow.lineOfAll)
        return max(allow.status, deny.status)
    }

    /// Prints problems, and counts them.
    struct RulesReport: RuleProblemSink {
        private let path: ConstantText
        /// Whether they are said on standard error, and not printed.
        private let complains: Bool
        var output = RulesOutput()
        private(set) var count = 0

        init(_ path: ConstantText, complains: Bool = false) {
            self.path = path
            self.complains = complains
        }

        mutating func take(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
            count += 1
            if patternFile.isEmpty {
                path.withBytes { add(LogLine(problem, word: word, file: $0)) }
            } else {
                add(LogLine(problem, word: word, file: patternFile))
            }
        }

        private mutating func add(_ line: LogLine) {
            if complains { return complain(line) }
            output.add(line)
            output.add("\n")
        }
    }

    /// The check of one file.
    private struct RulesCheck {
        private let path: ConstantText
        private let options: RulesOptions
        private var report: RulesReport
        private var isUnreadable = false
        /// The line of the first rule that matches everything; 0: none.
        private(set) var lineOfAll = 0

        /// The exit status.
        var status: Int32 { isUnreadable || report.count > 0 ? 1 : 0 }

        init(_ path: ConstantText, _ options: RulesOptions) {
            self.path = path
            self.options = options
            report = RulesReport(path)
        }

        mutating func run(
            _ purpose: RuleCheck.Purpose, isGiven: Bool, allowedBefore: Int = 0
        ) throws(SystemError) {
            do throws(SystemError) {
                guard let text = try openRules(isGiven ? path : nil, or: path) else { return }
                var repeated = try RepeatedRules(room: text.lines)
                text.withBytes { text in
                    if purpose == .exempt {
                        var rules = ExemptRules()
                        if !rules.compile(text, HostSystem(), &report) { return }
                    }
                    check(text, purpose, allowedBefore, &repeated)
                }
            } catch {
                complain(error.line)
                isUnreadable = true
            }
            try report.output.finish()
        }

        private mutating func check(
            _ text: Span<UInt8>, _ purpose: RuleCheck.Purpose, _ allowedBefore: Int, _ repeated: inout RepeatedRules
        ) {
            var check = RuleCheck(
                purpose, reportsImplicitAllow: options.reportsImplicitAllow, allowedBefore: allowedBefore)
            if options.isVerbose { printRules(text) }
            while let line = check.next(of: text, HostSystem(), &report) {
                guard case .rule = line else { continue }
                let (line, own, forAll) = check.withRule { ($0.line, $0.fingerprint.own, $0.fingerprint.forAll) }
                let earlier = repeated.line(of: own) ?? repeated.line(of: forAll)
                if earlier == nil {
                    repeated.add(own, line: line)
                } else if let earlier, !check.isShadowed {
                    check.reportRepeated(of: earlier, in: text, &report)
                }
            }
            lineOfAll = check.lineOfAll
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
