#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// Says what becomes of a client, and which rule decides; returns the exit status.
    func matchRules(_ options: RulesOptions) throws(SystemError) -> Int32 {
        if options.operandCount != 2 { return refuse("rules match", "a daemon and a client must be named") }
        guard let question = MatchArguments(options) else { return 2 }
        if let exempt = options.exempt { return try matchExempt(question, exempt, isVerbose: options.isVerbose) }
        var match = MatchCommand(question, isVerbose: options.isVerbose)
        if let status = try match.ask(.allow, options.allow, or: "/etc/hosts.allow") { return status }
        if let status = try match.ask(.deny, options.deny, or: "/etc/hosts.deny") { return status }
        return try match.tellNoRule()
    }

    private struct MatchCommand {
        let question: MatchArguments
        let isVerbose: Bool
        private var output = EscapedOutput()

        init(_ question: MatchArguments, isVerbose: Bool) {
            self.question = question
            self.isVerbose = isVerbose
        }

        /// Looks through a file, and returns the exit status if it decides.
        mutating func ask(
            _ file: RuleFile, _ given: CString?, or standard: CString
        ) throws(SystemError) -> Int32? {
            let path = given ?? standard
            let status: Int32?
            do throws(SystemError) {
                if let text = try openRules(given, or: standard) {
                    status = text.withBytes { search($0, file, path) }
                } else {
                    if isVerbose { tell(SystemError(path, "open", because: "there is no such file").line) }
                    status = nil
                }
            } catch {
                if given != nil { throw error }
                if file == .allow { warn(error.line) }  // it grants nothing
                status = file == .allow ? nil : tellUnreadable(error)
            }
            if status != nil { try finish() }
            return status
        }

        private mutating func search(_ text: Span<UInt8>, _ file: RuleFile, _ path: CString) -> Int32? {
            var search = RuleMatcher(question.query(), in: file)
            while let step = search.step(text, HostEnvironment()) {
                switch step {
                case .line(.missingColon) where isVerbose: tell(path, &search, LogLine(.missingColon))
                case .line(.broken(let kind)): tell(path, &search, LogLine(kind))
                case .line: break
                case .otherDaemon: if isVerbose { tell(path, &search, LogLine("another daemon: "), isQuoted: true) }
                case .otherClient: if isVerbose { tell(path, &search, LogLine("another client: "), isQuoted: true) }
                case .decision(let decision): return tell(decision, path, &search)
                }
            }
            return nil
        }

        private mutating func tell(_ decision: Decision, _ path: CString, _ search: inout RuleMatcher) -> Int32 {
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
            if decision.reason == .tooManyPatternFiles { tellReason(0..<0, .tooManyFiles, &search) }
            if case .badOption(let kind) = decision.reason { tellReason(search.badWord, kind, &search) }
            question.tell(&output)
            return decision.verdict == .granted ? 0 : 1
        }

        private mutating func tellReason(
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

        /// Says something of a line that does not decide.
        private mutating func tell(
            _ path: CString, _ search: inout RuleMatcher, _ text: LogLine, isQuoted: Bool = false
        ) {
            output.add(place: path, search.withRule { $0.line })
            output.add(text)
            if isQuoted { search.withRule { output.add(&$0) } }
            output.add("\n")
        }

        private mutating func tell(_ line: LogLine) {
            output.add(line)
            output.add("\n")
        }

        private mutating func tellUnreadable(_ error: SystemError) -> Int32 {
            output.add("denied: ")
            tell(error.line)
            question.tell(&output)
            return 1
        }

        mutating func tellNoRule() throws(SystemError) -> Int32 {
            output.add("granted: no rule matches\n")
            question.tell(&output)
            try finish()
            return 0
        }

        private mutating func finish() throws(SystemError) {
            try output.finish()
        }
    }

    /// Says whether a source is exempt, and by which rule; returns the exit status.
    private func matchExempt(
        _ question: MatchArguments, _ path: CString, isVerbose: Bool
    ) throws(SystemError) -> Int32 {
        if !(question.daemonOperand == "scanlogd") {
            return refuse(question.daemonOperand, "only scanlogd has exempt sources")
        }
        guard let source = question.source else {
            return refuse(question.clientOperand, "the source of a packet has an address, and no user")
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
            question.tellSource(&report.output)
            return decision?.verdict == .exempt ? 0 : 1
        }
        try report.output.finish()
        return status
    }

    extension EscapedOutput {
        /// Adds what becomes of a report.
        fileprivate mutating func add(verdict: ExemptVerdict) {
            switch verdict {
            case .reported: add("reported: ")
            case .exempt: add("exempt: ")
            case .reportedAt(let level):
                add("reported at level ")
                switch level {
                case 0: add("emerg: ")
                case 1: add("alert: ")
                case 2: add("crit: ")
                case 3: add("err: ")
                case 4: add("warning: ")
                case 5: add("notice: ")
                case 6: add("info: ")
                default: add("debug: ")
                }
            }
        }
    }
#endif
