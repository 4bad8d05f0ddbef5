import ScanCore

extension ExemptRules {
    /// Takes the rules of a file in place of those there are.
    ///
    /// The rules that count are those whose daemons match `scanlogd`. Their clients may be addresses, nets, address
    /// prefixes, addresses with wildcards, ALL, EXCEPT and files of those; their options `severity`, which has the line
    /// logged at that level instead of not at all; `allow`, which changes nothing; and `deny`, which has it logged: at
    /// the level of `severity`, or as always. All else is refused, as there is no one to ask for a name and nothing may
    /// act. So is a rule that says nothing, or can't be read.
    ///
    /// - Parameters:
    ///   - text: the file.
    ///   - system: gives the pattern files.
    ///   - sink: gets the first problem.
    /// - Returns: whether there was no problem; if there was one, the table is empty.
    public mutating func compile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) -> Bool {
        clear()
        var reader = RuleReader()
        var rule = Rule()
        while let line = reader.next(of: text, into: &rule) {
            let isGood = add(line, &rule, in: text, system, .first, &sink)
            if isGood { continue }
            clear()
            return false
        }
        return true
    }

    /// Adds a line to the rules there are, and reports all that is wrong with it; then the table is not to be used.
    ///
    /// What there is no room for is reported once.
    public mutating func add<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, in text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) {
        _ = add(line, &rule, in: text, system, .all, &sink)
    }

    /// Adds a line to the rules there are, and returns whether nothing is wrong with it.
    private mutating func add<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, in text: Span<UInt8>, _ system: borrowing System,
        _ filter: RuleProblemReporter<Sink>.Filter, _ sink: inout Sink
    ) -> Bool {
        var reporter = RuleProblemReporter(filter, to: sink)
        compile(line, &rule, in: text, system, &reporter)
        let isGood = reporter.count == 0
        sink = reporter.finish()
        return isGood
    }

    private mutating func compile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System,
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        let isCut = line == .broken(.joinAtEnd)
        switch isCut ? rule.kind() : line {
        case .comment, .empty: return
        case .broken(let kind): return reporter.report(kind, in: &rule)
        case .missingColon:
            if let hash = rule.indentedHash { return reporter.report(.blankBeforeComment, hash, in: &rule, of: file) }
            return reporter.report(.missingColon, in: &rule)
        case .rule: break
        }
        let (daemons, clients) = (rule.daemons, rule.clients)
        let isSound = rule.withText { ListTokenizer.isSound(daemons, of: $0) }
        if !isSound { return reporter.report(.noDaemons, in: &rule) }
        switch rule.withText({ Self.isMeant($0, daemons, system) }) {
        case .other: return
        case .atServer(let word): reporter.report(.needsServer, word, in: &rule, of: file)
        case .scanlogd: break
        }
        if isCut { return reporter.report(.joinAtEnd, in: &rule) }
        if let hash = rule.indentedHash { return reporter.report(.blankBeforeComment, hash, in: &rule, of: file) }
        if let hash = rule.withText({ ListTokenizer.hash(daemons, of: $0) }) {
            return reporter.report(.trailingComment, hash, in: &rule, of: file)
        }
        if let address = rule.bareIPv6 { return reporter.report(.bareIPv6, address, in: &rule, of: file) }
        if !rule.withText({ ListTokenizer.isSound(clients, of: $0) }) {
            return reporter.report(.noClients, in: &rule)
        }
        if !beginRule(line: rule.line) { return reportFull(.tooManyRules, nil, &rule, in: file, &reporter) }
        if compileClients(&rule, in: file, system, &reporter) {
            compileOptions(&rule, in: file, system, &reporter)
        }
    }

    /// Adds the clients of a rule, and returns whether what follows them are options.
    private mutating func compileClients<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> Bool {
        var files = PatternFileStack()
        var words = ListTokenizer(rule.clients)
        while let range = rule.withText({ words.next(of: $0) }) {
            let fault = rule.withText { addClient($0.extracting(range), system, &files, &reporter) }
            guard let fault else { continue }
            if fault.isAboutRoom {
                reportFull(fault, range, &rule, in: file, &reporter)
            } else {
                reporter.report(fault, range, in: &rule, of: file)
            }
            if fault == .trailingComment || fault == .openBracket { return false }
        }
        return true
    }

    private mutating func reportFull<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ word: Range<Int>?, _ rule: inout Rule, in file: Span<UInt8>,
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        if isFull { return }
        isFull = true
        if let word {
            reporter.report(kind, word, in: &rule, of: file)
        } else {
            reporter.report(kind, in: &rule)
        }
    }

    /// Whom a list of daemons means.
    enum Meaning {
        case scanlogd, other
        /// It says to which address packets must have gone.
        case atServer(Range<Int>)
    }

    /// Whether a list of daemons means scanlogd.
    static func isMeant<System: RuleEnvironment & ~Copyable>(
        _ text: Span<UInt8>, _ daemons: Range<Int>, _ system: borrowing System
    ) -> Meaning {
        let name = FixedName("scanlogd")
        var work = MatchBudget()
        var words = ListTokenizer(daemons)
        while let range = words.next(of: text) {
            let word = text.extracting(range)
            guard let at = word.atSign else { continue }
            if name.withBytes({ word.extracting(0..<at).describes($0, &work) }) { return .atServer(range) }
        }
        let query = RuleQuery(daemon: name, client: RuleHost())
        return query.matchesDaemons(text, daemons, system, &work) ? .scanlogd : .other
    }

    /// Whether the daemons of a rule are others than scanlogd: then the table has nothing of it.
    public static func isAboutOthers<System: RuleEnvironment & ~Copyable>(
        _ rule: inout Rule, _ system: borrowing System
    ) -> Bool {
        let daemons = rule.daemons
        return rule.withText { text in
            if case .other = isMeant(text, daemons, system) { return true }
            return false
        }
    }

    private mutating func compileOptions<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System,
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        guard let range = rule.options else { return }
        var verdict = ExemptVerdict.exempt
        var options = RuleOptions(range)
        while let option = rule.withText({ options.next(of: $0) }) {
            let fault = rule.withText { Self.fault(of: option, in: $0, system) }
            if let fault { reporter.report(fault.kind, fault.word, in: &rule, of: file) }
            if option.keyword == .deny && verdict == .exempt { verdict = .reported }
            if option.keyword == .severity, case .level(let level, _) = rule.withText({ Severity($0, option.value) }) {
                verdict = .reportedAt(level: level)
            }
        }
        setVerdict(verdict)
    }

    private static func fault<System: RuleEnvironment & ~Copyable>(
        of option: RuleOption, in text: Span<UInt8>, _ system: borrowing System
    ) -> OptionFault? {
        switch option.keyword {
        case .none, .allow, .deny, .severity: option.fault(in: text, system)
        default: OptionFault(kind: .acts, word: option.name)
        }
    }

    /// Adds a word of a client list to the last rule, or returns what is wrong with it.
    private mutating func addClient<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> RuleProblem.Kind? {
        if word.isExcept { return add(ExemptPattern(.except)) ? nil : .tooManyPatterns }
        if word[0] == UInt8(ascii: "#") { return .trailingComment }
        if word.hasOpenBracket { return .openBracket }
        if word.atSign != nil { return .needsName }
        if case .file = HostPattern(word) { return addFile(word, system, &files, &reporter) }
        return addPattern(word)
    }

    /// Adds the patterns of a file, or returns what is wrong with the word that names it; what is wrong in it is reported.
    private mutating func addFile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ path: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> RuleProblem.Kind? {
        switch files.open(path) {
        case .open: break
        case .refused(let kind): return kind
        case .refusedAgain: return nil
        }
        let isRead = system.withPatterns(in: path) { text in
            var words = PatternTokenizer(text)
            while reporter.wantsMore, let range = words.next(of: text) {
                let word = text.extracting(range)
                guard let fault = addFileWord(word, system, &files, &reporter) else { continue }
                if fault.isAboutRoom && isFull { continue }
                isFull = isFull || fault.isAboutRoom
                reporter.report(fault, range, in: words, of: text, at: path)
            }
        }
        files.close()
        return isRead ? nil : .noFile
    }

    private mutating func addFileWord<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> RuleProblem.Kind? {
        if word[0] == UInt8(ascii: "#") { return .trailingComment }
        if word.isExcept { return .exceptInFile }
        if case .file = HostPattern(word) { return addFile(word, system, &files, &reporter) }
        if word.contains(UInt8(ascii: ",")) { return .commaInFile }
        return word.hasOpenBracket ? .openBracket : addPattern(word)
    }

    /// Adds a pattern that is no file to the last rule, or returns why not.
    private mutating func addPattern(_ word: Span<UInt8>) -> RuleProblem.Kind? {
        switch AddressPattern(word) {
        case .all: return add(ExemptPattern(.all)) ? nil : .tooManyPatterns
        case .net(let net, let mask):
            if word.hasOtherBase { return .otherBase }
            return add(ExemptPattern(net: net, mask: mask)) ? nil : .tooManyPatterns
        case .prefix(let address, let length):
            return add(ExemptPattern(address, length: length)) ? nil : .tooManyPatterns
        case .wildcards:
            guard let pattern = addText(of: word) else { return .tooMuchText }
            return add(pattern) ? nil : .tooManyPatterns
        case .refused(let kind): return kind
        }
    }
}

extension RuleProblem.Kind {
    /// Whether it is that the table has no room.
    fileprivate var isAboutRoom: Bool { self == .tooManyRules || self == .tooManyPatterns || self == .tooMuchText }
}
