#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// Prints problems in the rule files, and returns the exit status.
    func checkRules(_ options: RulesOptions) throws(SystemError) -> Int32 {
        if let extra = options.operands[0] { return refuse(extra, "none is expected") }
        var earlier = EarlierRules(try RuleMemory())
        if let exempt = options.exempt {
            var check = CheckCommand(exempt, options)
            try check.run(.exempt, isGiven: true, &earlier)
            return check.status
        }
        var allow = CheckCommand(options.allow ?? "/etc/hosts.allow", options)
        try allow.run(.allow, isGiven: options.allow != nil, &earlier)
        var deny = CheckCommand(options.deny ?? "/etc/hosts.deny", options)
        try deny.run(.deny, isGiven: options.deny != nil, &earlier)
        return max(allow.status, deny.status)
    }

    /// Memory for the rules of a file.
    private struct RuleMemory: RulePairMemory, ~Copyable {
        private var slots: ZeroedArray<RulePairSlot>
        /// Why no more memory could be allocated.
        private(set) var failure: SystemError?

        init() throws(SystemError) {
            try self.init(1024)
        }

        private init(_ count: Int) throws(SystemError) {
            slots = try ZeroedArray(count, "memory for the rules")
        }

        var count: Int { slots.count }

        subscript(index: Int) -> RulePairSlot {
            get { slots[index] }
            set { slots[index] = newValue }
        }

        mutating func doubled() -> RuleMemory? {
            do throws(SystemError) {
                return try RuleMemory(count * 2)
            } catch {
                failure = error
                return nil
            }
        }
    }

    /// Prints problems, and counts them.
    struct RulesReport: RuleProblemSink {
        private let path: CString
        /// Whether they are printed on standard error, and not on standard output.
        private let onStandardError: Bool
        /// Whether they are about a file of exempt sources.
        private let isForExempt: Bool
        var output = EscapedOutput()
        private(set) var count = 0

        init(_ path: CString, isForExempt: Bool = false, onStandardError: Bool = false) {
            self.path = path
            self.onStandardError = onStandardError
            self.isForExempt = isForExempt || onStandardError
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
            if onStandardError { return warn(line) }
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

        /// Checks the file, if it exists. Its rules replace those of the previous file as the earlier rules.
        mutating func run(
            _ purpose: RuleFilePurpose, isGiven: Bool, _ earlier: inout EarlierRules<RuleMemory>
        ) throws(SystemError) {
            do throws(SystemError) {
                let opened =
                    purpose == .exempt ? try ExemptFile.read(path) : try openRules(isGiven ? path : nil, or: path)
                guard let text = opened else { return }
                var before = EarlierRules(try RuleMemory())
                swap(&before, &earlier)
                var linter = RuleLinter(
                    purpose, reportsImplicitAllow: options.reportsImplicitAllow, isForWrap: options.isForWrap,
                    after: before, in: try RuleMemory())
                text.withBytes { check($0, purpose, &linter) }
                earlier = linter.finish()
                if let failure = earlier.withMemory({ $0.failure }) { throw failure }
            } catch {
                warn(error.line)
                isUnreadable = true
            }
            try report.output.finish()
        }

        private mutating func check(
            _ text: Span<UInt8>, _ purpose: RuleFilePurpose, _ linter: inout RuleLinter<RuleMemory>
        ) {
            if options.isVerbose { printRules(text) }
            if purpose == .exempt { return checkExempt(text, &linter) }
            while linter.next(of: text, HostEnvironment(), &report) != nil {}
        }

        private mutating func checkExempt(_ text: Span<UInt8>, _ linter: inout RuleLinter<RuleMemory>) {
            var exempt = ExemptRules()
            let system = ExemptFile.system
            var line: RuleLine?
            repeat {
                line = linter.next(of: text, system, &report) { line, rule, report in
                    exempt.add(line, &rule, in: text, system, &report)
                }
            } while line != nil
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
