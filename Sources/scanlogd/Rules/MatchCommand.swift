#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// Prints the verdict on a client, and the rule that decides; returns the exit status.
    func matchRules(_ options: RulesOptions) throws(SystemError) -> Int32 {
        if options.operandCount != 2 { return refuse("rules match", "a daemon and a client must be named") }
        guard let arguments = MatchArguments(options) else { return 2 }
        if let exempt = options.exempt { return try matchExempt(arguments, exempt, isVerbose: options.isVerbose) }
        var match = MatchCommand(arguments, isVerbose: options.isVerbose)
        if let status = try match.run(.allow, options.allow, or: "/etc/hosts.allow") { return status }
        if let status = try match.run(.deny, options.deny, or: "/etc/hosts.deny") { return status }
        return try match.printNoRule()
    }

    private struct MatchCommand {
        let arguments: MatchArguments
        let isVerbose: Bool
        private var output = EscapedOutput()

        init(_ arguments: MatchArguments, isVerbose: Bool) {
            self.arguments = arguments
            self.isVerbose = isVerbose
        }

        /// Prints the decision of a file, and returns the exit status; `nil`: the file does not decide.
        mutating func run(
            _ file: RuleFile, _ given: CString?, or standard: CString
        ) throws(SystemError) -> Int32? {
            let path = given ?? standard
            let status: Int32?
            do throws(SystemError) {
                if let text = try openRules(given, or: standard) {
                    status = text.withBytes { search($0, file, path) }
                } else {
                    if isVerbose { printLine(SystemError(path, "open", because: "there is no such file").line) }
                    status = nil
                }
            } catch {
                if given != nil { throw error }
                if file == .allow { warn(error.line) }  // it grants nothing
                status = file == .allow ? nil : printUnreadable(error)
            }
            if status != nil { try finish() }
            return status
        }

        private mutating func search(_ text: Span<UInt8>, _ file: RuleFile, _ path: CString) -> Int32? {
            var search = RuleMatcher(arguments.query(), in: file)
            while let step = search.step(text, HostEnvironment()) {
                switch step {
                case .line(.missingColon) where isVerbose: printStep(path, &search, LogLine(.missingColon))
                case .line(.broken(let kind)): printStep(path, &search, LogLine(kind))
                case .otherDaemon where isVerbose:
                    printStep(path, &search, LogLine("another daemon: "), isQuoted: true)
                case .otherClient where isVerbose:
                    printStep(path, &search, LogLine("another client: "), isQuoted: true)
                case .line, .otherDaemon, .otherClient: break
                case .needsName: break  // the query has all names that there are
                case .decision(let decision): return printDecision(decision, path, &search)
                }
            }
            return nil
        }

        private mutating func printDecision(
            _ decision: Decision, _ path: CString, _ search: inout RuleMatcher
        ) -> Int32 {
            switch decision.verdict {
            case .granted: output.add("granted: ")
            case .denied: output.add("denied: ")
            case .delegated: output.add("delegated: ")
            }
            if case .brokenLine(let kind) = decision.reason {
                output.add(place: path, decision.line)
                output.add(LogLine(kind))
            } else {
                output.add(place: path, decision.line)
                search.withRule { output.add(&$0) }
            }
            output.add("\n")
            if decision.reason == .command {
                output.add("because: aclexec: if its command fails, ")
                output.add(decision.file == .allow ? "hosts.deny decides\n" : "access is granted\n")
            }
            if decision.reason == .tooManyPatternFiles { printReason(0..<0, .tooManyFiles, &search) }
            if case .badOption(let kind) = decision.reason { printReason(search.badWord, kind, &search) }
            arguments.print(to: &output)
            return decision.verdict == .granted ? 0 : 1
        }

        private mutating func printReason(
            _ word: Range<Int>, _ kind: RuleProblem.Kind, _ search: inout RuleMatcher
        ) {
            output.add("because: ")
            if !word.isEmpty {
                output.add("\"")
                search.withRule { $0.withText { output.add(quoting: $0.extracting(word)) } }
                output.add("\": ")
            }
            output.add(LogLine(kind))
            output.add("\n")
        }

        /// Prints why a line does not match.
        private mutating func printStep(
            _ path: CString, _ search: inout RuleMatcher, _ text: LogLine, isQuoted: Bool = false
        ) {
            output.add(place: path, search.withRule { $0.line })
            output.add(text)
            if isQuoted { search.withRule { output.add(&$0) } }
            output.add("\n")
        }

        private mutating func printLine(_ line: LogLine) {
            output.add(line)
            output.add("\n")
        }

        private mutating func printUnreadable(_ error: SystemError) -> Int32 {
            output.add("denied: ")
            printLine(error.line)
            arguments.print(to: &output)
            return 1
        }

        mutating func printNoRule() throws(SystemError) -> Int32 {
            output.add("granted: no rule matches\n")
            arguments.print(to: &output)
            try finish()
            return 0
        }

        private mutating func finish() throws(SystemError) {
            try output.finish()
        }
    }

    /// Prints whether a source is exempt, and by which rule; returns the exit status.
    private func matchExempt(
        _ arguments: MatchArguments, _ path: CString, isVerbose: Bool
    ) throws(SystemError) -> Int32 {
        if !(arguments.daemonOperand == "scanlogd") {
            return refuse(arguments.daemonOperand, "only scanlogd has exempt sources")
        }
        guard let source = arguments.source else {
            return refuse(arguments.clientOperand, "the source of a packet has an address, and no user")
        }
        var report = RulesReport(path, isForExempt: true)
        let status: Int32 = try ExemptFile.read(path).withBytes { text in
            var rules = ExemptRules()
            if !rules.compile(text, ExemptFile.system, &report) { return 2 }
            let decision = rules.decision(for: source)
            var reader = RuleReader()
            var rule = Rule()
            while let line = reader.next(of: text, into: &rule), rule.line != decision?.line {
                guard isVerbose, case .rule = line else { continue }
                report.output.add(place: path, rule.line)
                let isAboutOthers = ExemptRules.isAboutOthers(&rule, ExemptFile.system)
                report.output.add(isAboutOthers ? "another daemon: " : "another client: ")
                report.output.add(&rule)
                report.output.add("\n")
            }
            report.output.add(verdict: decision?.verdict ?? .reported)
            if let line = decision?.line {
                report.output.add(place: path, line)
                report.output.add(&rule)
            } else {
                report.output.add("no rule matches")
            }
            report.output.add("\n")
            arguments.printSource(to: &report.output)
            return decision?.verdict == .exempt ? 0 : 1
        }
        try report.output.finish()
        return status
    }

    extension EscapedOutput {
        /// Adds the verdict on reports.
        fileprivate mutating func add(verdict: ExemptVerdict) {
            switch verdict {
            case .reported: add("reported: ")
            case .exempt: add("exempt: ")
            case .reportedAt(let level):
                add("reported at level ")
                add(syslogLevelName(level))
                add(": ")
            }
        }
    }
#endif
