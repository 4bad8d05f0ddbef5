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
    @inline(never)
    public mutating func compile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) -> Bool {
        clear()
        var reader = RuleReader()
        var rule = Rule()
        while let line = reader.next(of: text, into: &rule) {
            var work = ExemptWork(tellsAll: false)  // of a line: so many pattern files are read for one rule
            compile(line, &rule, in: text, system, &sink, &work)
            if work.faults == 0 { continue }
            clear()
            return false
        }
        return true
    }

    /// Adds a line to the rules there are, and tells the sink all that is wrong with it; then the table is not to be used.
    ///
    /// What there is no room for is told once.
    @inline(never)
    public mutating func add<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, in text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) {
        var work = ExemptWork(tellsAll: true)
        compile(line, &rule, in: text, system, &sink, &work)
    }

    @inline(never)
    private mutating func compile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink,
        _ work: inout ExemptWork
    ) {
        let isCut = line == .broken(.joinAtEnd)
        switch isCut ? rule.kind() : line {
        case .comment, .empty: return
        case .broken(let kind): return work.tell(kind, &rule, in: file, &sink)
        case .missingColon:
            if let hash = rule.indentedHash { return work.tell(.blankBeforeComment, hash, &rule, in: file, &sink) }
            return work.tell(.missingColon, &rule, in: file, &sink)
        case .rule: break
        }
        let (daemons, clients) = (rule.daemons, rule.clients)
        let isSound = rule.withText { ListTokenizer.isSound(daemons, of: $0) }
        if !isSound { return work.tell(.noDaemons, &rule, in: file, &sink) }
        switch rule.withText({ Self.isMeant($0, daemons, system) }) {
        case .other: return
        case .atServer(let word): work.tell(.needsServer, word, &rule, in: file, &sink)
        case .scanlogd: break
        }
        if isCut { return work.tell(.joinAtEnd, &rule, in: file, &sink) }
        if let hash = rule.indentedHash { return work.tell(.blankBeforeComment, hash, &rule, in: file, &sink) }
        if let hash = rule.withText({ ListTokenizer.hash(daemons, of: $0) }) {
            return work.tell(.trailingComment, hash, &rule, in: file, &sink)
        }
        if let address = rule.bareIPv6 { return work.tell(.bareIPv6, address, &rule, in: file, &sink) }
        if !rule.withText({ ListTokenizer.isSound(clients, of: $0) }) {
            return work.tell(.noClients, &rule, in: file, &sink)
        }
        if !beginRule(line: rule.line) { return tellFull(.tooManyRules, nil, &rule, in: file, &sink, &work) }
        if compileClients(&rule, in: file, system, &sink, &work) {
            compileOptions(&rule, in: file, system, &sink, &work)
        }
    }

    /// Adds the clients of a rule, and returns whether what follows them are options.
    private mutating func compileClients<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink,
        _ work: inout ExemptWork
    ) -> Bool {
        var words = ListTokenizer(rule.clients)
        while let range = rule.withText({ words.next(of: $0) }) {
            let fault = rule.withText { addClient($0.extracting(range), system, &sink, &work) }
            guard let fault else { continue }
            if fault.isAboutRoom {
                tellFull(fault, range, &rule, in: file, &sink, &work)
            } else {
                work.tell(fault, range, &rule, in: file, &sink)
            }
            if fault == .trailingComment || fault == .openBracket { return false }
        }
        return true
    }

    private mutating func tellFull<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ word: Range<Int>?, _ rule: inout Rule, in file: Span<UInt8>, _ sink: inout Sink,
        _ work: inout ExemptWork
    ) {
        if isFull { return }
        isFull = true
        if let word {
            work.tell(kind, word, &rule, in: file, &sink)
        } else {
            work.tell(kind, &rule, in: file, &sink)
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
        _ rule: inout Rule, in file: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink,
        _ work: inout ExemptWork
    ) {
        guard let range = rule.options else { return }
        var verdict = ExemptVerdict.exempt
        var options = RuleOptions(range)
        while let option = rule.withText({ options.next(of: $0) }) {
            let fault = rule.withText { Self.fault(of: option, in: $0, system) }
            if let fault { work.tell(fault.kind, fault.word, &rule, in: file, &sink) }
            if option.keyword == .deny && verdict == .exempt { verdict = .reported }
            if option.keyword == .severity, case .level(let level) = rule.withText({ Severity($0, option.value) }) {
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

    /// Adds a word of a client list to the last rule, or says what is wrong with it.
    private mutating func addClient<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink, _ work: inout ExemptWork
    ) -> RuleProblem.Kind? {
        if word.isExcept { return add(ExemptPattern(.except)) ? nil : .tooManyPatterns }
        if word[0] == UInt8(ascii: "#") { return .trailingComment }
        if word.hasOpenBracket { return .openBracket }
        if word.atSign != nil { return .needsName }
        if case .file = HostPattern(word) { return addFile(word, system, &sink, &work) }
        return addPattern(word)
    }

    /// Adds the patterns of a file, or says what is wrong with the word that names it; what is wrong in it goes to the
    /// sink.
    private mutating func addFile<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ path: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink, _ work: inout ExemptWork
    ) -> RuleProblem.Kind? {
        switch work.files.open(path) {
        case .open: break
        case .refused(let kind): return kind
        case .refusedAgain: return nil
        }
        let isRead = system.withPatterns(in: path) { text in
            var words = PatternTokenizer(text)
            while work.isGoingOn, let range = words.next(of: text) {
                let word = text.extracting(range)
                guard let fault = addFileWord(word, system, &sink, &work) else { continue }
                if fault.isAboutRoom && isFull { continue }
                isFull = isFull || fault.isAboutRoom
                let column = range.lowerBound - words.lineStart + 1
                work.tell(RuleProblem(fault, line: words.line, column: column), word, in: path, &sink)
            }
        }
        work.files.close()
        return isRead ? nil : .noFile
    }

    private mutating func addFileWord<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink, _ work: inout ExemptWork
    ) -> RuleProblem.Kind? {
        if word[0] == UInt8(ascii: "#") { return .trailingComment }
        if word.isExcept { return .exceptInFile }
        if case .file = HostPattern(word) { return addFile(word, system, &sink, &work) }
        if word.contains(UInt8(ascii: ",")) { return .commaInFile }
        return word.hasOpenBracket ? .openBracket : addPattern(word)
    }

    /// Adds a pattern that is no file to the last rule, or says why not.
    @inline(never)
    private mutating func addPattern(_ word: Span<UInt8>) -> RuleProblem.Kind? {
        switch AddressPattern(word) {
        case .all: return add(ExemptPattern(.all)) ? nil : .tooManyPatterns
        case .net(let net, let mask):
            if word.hasOtherBase { return .otherBase }
            return add(ExemptPattern(net: net, mask: mask)) ? nil : .tooManyPatterns
        case .prefix(let address, let length):
            return add(ExemptPattern(address, length: length)) ? nil : .tooManyPatterns
        case .wildcards:
            guard let pattern = keep(word) else { return .tooMuchText }
            return add(pattern) ? nil : .tooManyPatterns
        case .refused(let kind): return kind
        }
    }
}

/// What the compiling of a line has come to so far.
private struct ExemptWork {
    /// Whether all that is wrong is told, or the first only.
    let tellsAll: Bool
    private(set) var faults = 0
    var files = PatternFileStack()

    init(tellsAll: Bool) {
        self.tellsAll = tellsAll
    }

    var isGoingOn: Bool { tellsAll || faults == 0 }

    mutating func tell<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ rule: inout Rule, in file: Span<UInt8>, _ sink: inout Sink
    ) {
        if isGoingOn { rule.report(kind, in: file, to: &sink) }
        faults += 1
    }

    mutating func tell<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ word: Range<Int>, _ rule: inout Rule, in file: Span<UInt8>, _ sink: inout Sink
    ) {
        if isGoingOn { rule.report(kind, word, in: file, to: &sink) }
        faults += 1
    }

    mutating func tell<Sink: RuleProblemSink & ~Copyable>(
        _ problem: RuleProblem, _ word: Span<UInt8>, in path: Span<UInt8>, _ sink: inout Sink
    ) {
        if isGoingOn { sink.receive(problem, word: word, patternFile: path) }
        faults += 1
    }
}

extension RuleProblem.Kind {
    /// Whether the table has no room.
    fileprivate var isAboutRoom: Bool { self == .tooManyRules || self == .tooManyPatterns || self == .tooMuchText }
}

extension Rule {
    /// Tells a sink of a problem with the rule as a whole.
    @inline(never)
    mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, earlierLine: Int = 0, in file: Span<UInt8>, to sink: inout Sink
    ) {
        let problem = RuleProblem(kind, line: firstLine, earlierLine: earlierLine)
        sink.receive(problem, word: text.span.extracting(0..<0), patternFile: text.span.extracting(0..<0))
    }

    /// Tells a sink of a problem with a word of the rule.
    @inline(never)
    mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ word: Range<Int>, in file: Span<UInt8>, to sink: inout Sink
    ) {
        let place = place(of: word.lowerBound, in: file)
        sink.receive(
            RuleProblem(kind, line: place.line, column: place.column), word: text.span.extracting(word),
            patternFile: text.span.extracting(0..<0))
    }
}
