import ScanCore

extension RuleLinter where Memory: ~Copyable {
    /// Checks the list of daemons, and returns whether it ends in what may be meant for a comment.
    mutating func checkDaemons<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ file: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> Bool {
        let range = rule.daemons
        if !rule.withText({ ListTokenizer.isSound(range, of: $0) }) { reporter.report(.noDaemons, in: &rule) }
        var words = ListTokenizer(range)
        while let word = rule.withText({ words.next(of: $0) }) {
            guard let (name, host) = split(word) else { continue }
            if isHash(word) {
                reporter.report(.trailingComment, word, in: &rule, of: file)
                return true
            }
            if let kind = rule.withText({ $0.extracting(name).daemonFault }) {
                reporter.report(kind, name, in: &rule, of: file)
            }
            if let host { checkHost(host, file, system, &files, &reporter) }
        }
        return false
    }

    /// Checks the list of clients, and returns whether it ends in what may be meant for a comment.
    mutating func checkClients<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ file: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> Bool {
        let range = rule.clients
        if !rule.withText({ ListTokenizer.isSound(range, of: $0) }) { reporter.report(.noClients, in: &rule) }
        var words = ListTokenizer(range)
        while let word = rule.withText({ words.next(of: $0) }) {
            guard let (first, host) = split(word) else { continue }
            if isHash(word) {
                reporter.report(.trailingComment, word, in: &rule, of: file)
                return true
            }
            if host != nil, let kind = rule.withText({ $0.extracting(first).userFault }) {
                reporter.report(kind, first, in: &rule, of: file)
            }
            checkHost(host ?? first, file, system, &files, &reporter)
        }
        return false
    }

    /// What stands before the `@` of a word, and behind it; `nil` for EXCEPT.
    private mutating func split(_ word: Range<Int>) -> (Range<Int>, Range<Int>?)? {
        rule.withText { text in
            if text.extracting(word).isExcept { return nil }
            guard let at = text.extracting(word).atSign else { return (word, nil) }
            let middle = word.lowerBound + at
            return (word.lowerBound..<middle, middle + 1..<word.upperBound)
        }
    }

    private mutating func isHash(_ word: Range<Int>) -> Bool {
        rule.withText { $0[word.lowerBound] == UInt8(ascii: "#") }
    }

    private mutating func checkHost<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ word: Range<Int>, _ file: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) {
        let kind: RuleProblem.Kind? = rule.withText { text in
            let pattern = text.extracting(word)
            guard case .file = HostPattern(pattern) else {
                // A colon that a bracket hides, and a backslash at the end: what is wrong there is reported.
                let isEnd = pattern.equalsIgnoringCase("\\") && word.upperBound + 1 >= text.count
                return isEnd || pattern.equalsIgnoringCase(":") ? nil : pattern.hostFault
            }
            return PatternFileCheck.check(pattern, system, &files, &reporter)
        }
        if let kind { reporter.report(kind, word, in: &rule, of: file) }
    }
}

/// The check of the files that patterns name.
enum PatternFileCheck {
    /// Reports what is wrong in a file, and returns what is wrong with the word that names it.
    static func check<System: RuleEnvironment & ~Copyable, Sink: RuleProblemSink & ~Copyable>(
        _ path: Span<UInt8>, _ system: borrowing System, _ files: inout PatternFileStack,
        _ reporter: inout RuleProblemReporter<Sink>
    ) -> RuleProblem.Kind? {
        switch files.open(path) {
        case .open: break
        case .refused(let kind): return kind
        case .refusedAgain: return nil
        }
        let isRead = system.withPatterns(in: path) { text in
            files.steps += text.count
            var words = PatternTokenizer(text)
            while let range = words.next(of: text) {
                let word = text.extracting(range)
                var kind = word.fileWordFault
                if kind == nil, case .file = HostPattern(word) {
                    kind = check(word, system, &files, &reporter)
                }
                if let kind { reporter.report(kind, range, in: words, of: text, at: path) }
            }
        }
        files.close()
        return isRead ? nil : .noFile
    }
}

extension Span<UInt8> {
    /// What is wrong with a daemon's name.
    fileprivate var daemonFault: RuleProblem.Kind? {
        if hasOpenBracket { return .openBracket }
        if self[0] == UInt8(ascii: "@") { return .daemonIsNetgroup }
        if self[0] == UInt8(ascii: "/") { return .daemonIsFile }
        if hasOddBytes || !isPrintableASCII { return .oddDaemon }
        if hasWildcard { return nil }
        if self[0] == UInt8(ascii: ".") { return .daemonBeginsWithDot }
        if self[count - 1] == UInt8(ascii: ".") { return .daemonEndsInDot }
        return isHostWord || equalsIgnoringCase("known") || equalsIgnoringCase("unknown") ? .daemonIsReserved : nil
    }

    /// What is wrong with a user's name.
    fileprivate var userFault: RuleProblem.Kind? {
        if self[0] == UInt8(ascii: "@") { return .userIsNetgroup }
        if self[0] == UInt8(ascii: "/") { return .userIsFile }
        if hasOddBytes { return .oddUser }  // whoever answers for a user may use any letters
        if hasWildcard { return nil }
        if self[0] == UInt8(ascii: ".") { return .userBeginsWithDot }
        if self[count - 1] == UInt8(ascii: ".") { return .userEndsInDot }
        return isHostWord ? .userIsReserved : nil
    }

    private var isHostWord: Bool {
        equalsIgnoringCase("local") || equalsIgnoringCase("paranoid") || equalsIgnoringCase("fail")
    }

    /// What is wrong with a word of a pattern file.
    fileprivate var fileWordFault: RuleProblem.Kind? {
        if self[0] == UInt8(ascii: "#") { return .trailingComment }
        if self[0] == UInt8(ascii: "/") { return nil }  // a path, whatever is in it
        if isExcept { return .exceptInFile }
        if contains(UInt8(ascii: ",")) { return .commaInFile }
        if atSign != nil { return .atSignInFile }
        return hostFault
    }

    /// What is wrong with a pattern for a host that names no file.
    fileprivate var hostFault: RuleProblem.Kind? {
        if hasOpenBracket { return .openBracket }
        switch HostPattern(self) {
        case .all, .known, .local, .file: return nil
        case .net: return hasOtherBase ? .otherBase : nil
        case .netgroup: return .netgroup
        case .never(let kind): return kind
        case .prefix(let address, let length):
            if contains(UInt8(ascii: "%")) { return .zone }
            if address.masked(to: length) != address { return .hostBitsOfIPv6 }
            return length >= 96 && address.unmapped.isIPv4 ? .mappedIPv4 : nil
        case .text: return textFault
        }
    }

    /// Whether a bracket has no other half.
    var hasOpenBracket: Bool {
        var depth = 0
        for index in indices {
            if self[index] == UInt8(ascii: "[") { depth += 1 }
            if self[index] == UInt8(ascii: "]") { depth -= 1 }
        }
        return depth != 0
    }

    private var textFault: RuleProblem.Kind? {
        let beginsWithDot = self[0] == UInt8(ascii: ".")
        if isNoHost && (beginsWithDot || !isNumeric) { return .noHost }
        if hasWildcard { return beginsWithDot ? .dottedWildcard : nil }
        if equalsIgnoringCase("fail") { return .fail }
        if beginsWithDot { return isNumeric ? .numberBeginsWithDot : nil }
        if isNumeric { return numericNet() == nil ? .notAnAddress : nil }
        if self[count - 1] == UInt8(ascii: ".") { return .nameEndsInDot }
        guard let address = ipv6Address() else { return nil }
        return FixedName(address).withBytes { $0.isSame(as: self) } ? nil : .bareIPv6
    }
}
