import ScanCore

extension ExemptRules {
    /// Takes the rules of a file in place of those there are.
    ///
    /// The rules that count are those whose daemons are `scanlogd` or ALL. Their clients may be addresses, nets, address
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
    public mutating func compile<System: RuleSystem & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ text: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink
    ) -> Bool {
        clear()
        var reader = RuleReader()
        var rule = Rule()
        while let line = reader.next(of: text, into: &rule) {
            guard let fault = compile(line, &rule, system, &sink, in: text) else { continue }
            report(fault, &rule, &sink, in: text)
            clear()
            return false
        }
        return true
    }

    /// What is wrong with a line. A fault in a pattern file has gone to the sink already.
    @inline(never)
    private mutating func compile<System: RuleSystem & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ line: RuleLine, _ rule: inout Rule, _ system: borrowing System, _ sink: inout Sink, in file: Span<UInt8>
    ) -> ExemptFault? {
        switch line {
        case .comment, .empty: return nil
        case .missingColon: return .line(.missingColon)
        case .broken(let kind): return .line(kind)
        case .rule: break
        }
        let daemons = rule.daemons
        let clients = rule.clients
        let options = rule.options
        let text = rule.text.span.extracting(0..<rule.count)
        if !RuleWords.isSound(daemons, of: text) { return .line(.noDaemons) }
        switch Self.isMeant(text, daemons, system) {
        case .other: return nil
        case .atServer(let word): return .word(.needsServer, word)
        case .scanlogd: break
        }
        if !RuleWords.isSound(clients, of: text) { return .line(.noClients) }
        var verdict = ExemptVerdict.exempt
        if let fault = Self.readOptions(text, options, system, into: &verdict) {
            return .word(fault.kind, fault.word)
        }
        if !beginRule(verdict, line: rule.line) { return .line(.tooManyRules) }
        var files = MatchWork()
        var words = RuleWords(clients)
        while let word = words.next(of: text) {
            if let fault = addClient(text.extracting(word), at: word, system, &sink, &files) { return fault }
        }
        return nil
    }

    /// Whom a list of daemons means.
    enum Meaning {
        case scanlogd, other
        /// It says to which address packets must have gone.
        case atServer(Range<Int>)
    }

    /// Whether a list of daemons means scanlogd.
    static func isMeant<System: RuleSystem & ~Copyable>(
        _ text: Span<UInt8>, _ daemons: Range<Int>, _ system: borrowing System
    ) -> Meaning {
        let name = RuleName("scanlogd")
        var work = MatchWork()
        var words = RuleWords(daemons)
        while let range = words.next(of: text) {
            let word = text.extracting(range)
            guard let at = word.atSign else { continue }
            if name.withBytes({ word.extracting(0..<at).describes($0, &work) }) { return .atServer(range) }
        }
        let query = RuleQuery(daemon: name, client: RuleHost())
        return query.matchesDaemons(text, daemons, system, &work) ? .scanlogd : .other
    }

    private static func readOptions<System: RuleSystem & ~Copyable>(
        _ text: Span<UInt8>, _ range: Range<Int>?, _ system: borrowing System, into verdict: inout ExemptVerdict
    ) -> OptionFault? {
        guard let range else { return nil }
        var options = RuleOptions(range)
        while let option = options.next(of: text) {
            switch option.keyword {
            case .none, .allow, .deny, .severity: break
            default: return OptionFault(kind: .acts, word: option.name)
            }
            if let fault = option.fault(in: text, system) { return fault }
            if option.keyword == .deny && verdict == .exempt { verdict = .reported }
            if option.keyword == .severity, case .level(let level) = Severity(text, option.value) {
                verdict = .reportedAt(level: level)
            }
        }
        return nil
    }

    /// Adds a word of a client list to the last rule.
    private mutating func addClient<System: RuleSystem & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Span<UInt8>, at range: Range<Int>, _ system: borrowing System, _ sink: inout Sink,
        _ files: inout MatchWork
    ) -> ExemptFault? {
        if word.reads("except") { return add(ExemptPattern(.except)) ? nil : .word(.tooManyPatterns, range) }
        if word.atSign != nil { return .word(.needsName, range) }
        if case .file = HostPattern(word) {
            switch addFile(word, system, &sink, &files) {
            case .added: return nil
            case .unreadable(let kind): return .word(kind, range)
            case .reported: return .reported
            }
        }
        return addPattern(word).map { .word($0, range) }
    }

    private enum FileOutcome {
        case added
        case unreadable(RuleProblem.Kind)
        /// A word in it is wrong.
        case reported
    }

    private mutating func addFile<System: RuleSystem & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ path: Span<UInt8>, _ system: borrowing System, _ sink: inout Sink, _ files: inout MatchWork
    ) -> FileOutcome {
        if files.depth == RuleQuery.patternFileDepth || files.files == RuleQuery.patternFileLimit {
            return .unreadable(.tooManyFiles)
        }
        files.files += 1
        files.depth += 1
        var outcome = FileOutcome.added
        let isRead = system.withPatterns(in: path) { text in
            var words = PatternWords(text)
            while let range = words.next(of: text) {
                let word = text.extracting(range)
                var fault: RuleProblem.Kind?
                if case .file = HostPattern(word) {
                    switch addFile(word, system, &sink, &files) {
                    case .added: continue
                    case .unreadable(let kind): fault = kind
                    case .reported: break
                    }
                } else {
                    fault = word.contains(UInt8(ascii: ",")) ? .commaInFile : addPattern(word)
                    if fault == nil { continue }
                }
                outcome = .reported
                if let fault {
                    let column = range.lowerBound - words.lineStart + 1
                    sink.take(RuleProblem(fault, line: words.line, column: column), word: word, patternFile: path)
                }
                return
            }
        }
        files.depth -= 1
        return isRead ? outcome : .unreadable(.noFile)
    }

    /// Adds a pattern that is no file to the last rule, or says why not.
    @inline(never)
    private mutating func addPattern(_ word: Span<UInt8>) -> RuleProblem.Kind? {
        switch AddressPattern(word) {
        case .all: return add(ExemptPattern(.all)) ? nil : .tooManyPatterns
        case .net(let net, let mask): return add(ExemptPattern(net: net, mask: mask)) ? nil : .tooManyPatterns
        case .prefix(let address, let length):
            return add(ExemptPattern(address, length: length)) ? nil : .tooManyPatterns
        case .wildcards:
            guard let pattern = keep(word) else { return .tooMuchText }
            return add(pattern) ? nil : .tooManyPatterns
        case .refused(let kind): return kind
        }
    }

    private func report<Sink: RuleProblemSink & ~Copyable>(
        _ fault: ExemptFault, _ rule: inout Rule, _ sink: inout Sink, in file: Span<UInt8>
    ) {
        switch fault {
        case .reported: break
        case .line(let kind): rule.report(kind, in: file, to: &sink)
        case .word(let kind, let word): rule.report(kind, word, in: file, to: &sink)
        }
    }
}

/// What is wrong with a line of an exempt file.
private enum ExemptFault {
    case line(RuleProblem.Kind)
    case word(RuleProblem.Kind, Range<Int>)
    /// Something that the sink knows of.
    case reported
}

extension Rule {
    /// Tells a sink of a problem with the rule as a whole.
    @inline(never)
    mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, earlierLine: Int = 0, in file: Span<UInt8>, to sink: inout Sink
    ) {
        let problem = RuleProblem(kind, line: firstLine, earlierLine: earlierLine)
        sink.take(problem, word: text.span.extracting(0..<0), patternFile: text.span.extracting(0..<0))
    }

    /// Tells a sink of a problem with a word of the rule.
    @inline(never)
    mutating func report<Sink: RuleProblemSink & ~Copyable>(
        _ kind: RuleProblem.Kind, _ word: Range<Int>, in file: Span<UInt8>, to sink: inout Sink
    ) {
        let place = place(of: word.lowerBound, in: file)
        sink.take(
            RuleProblem(kind, line: place.line, column: place.column), word: text.span.extracting(word),
            patternFile: text.span.extracting(0..<0))
    }
}
