/// Looks for the first rule of a file that matches a query.
///
/// A rule takes time linear in its length, whatever names and patterns are: at most 256 steps for each byte, and as
/// many for each byte of the pattern files it names, of which no more than 64 are read. Memory is fixed: nothing of the
/// file is kept but the rule at hand.
public struct RuleMatcher: ~Copyable {
    private let query: RuleQuery
    private let file: RuleFile
    private var reader = RuleReader()

    private var rule = Rule()

    /// Which word of the rule makes it deny, if the last step found a bad option; it may be empty.
    public private(set) var badWord = 0..<0

    /// What all rules so far have taken, for the tests of the bound.
    package private(set) var steps = 0

    /// A search that begins at the first line.
    public init(_ query: consuming RuleQuery, in file: RuleFile) {
        self.query = query
        self.file = file
    }

    /// What a line comes to.
    public enum Step: Sendable {
        /// It is no rule.
        case line(RuleLine)
        /// Its daemons are others.
        case otherDaemon
        /// Its clients are others.
        case otherClient
        /// Whether it matches depends on a name that is ``RuleHost/Name/notLookedUp``: the caller looks it up, and starts
        /// again with a query that has it.
        case needsName(NamedHost)
        /// It decides.
        case decision(Decision)
    }

    /// The two hosts that may have names.
    public enum NamedHost: Sendable {
        case client
        case server
    }

    /// Looks at the next line; `nil` at the end of the file.
    ///
    /// - Parameter text: the file, the same each time.
    public mutating func step<System: RuleEnvironment & ~Copyable>(
        _ text: Span<UInt8>, _ system: borrowing System
    ) -> Step? {
        guard let line = reader.next(of: text, into: &rule) else { return nil }
        switch line {
        case .rule: return matchRule(system)
        case .broken(let kind) where file == .deny:
            return .decision(Decision(.denied, .brokenLine(kind), .deny, line: rule.firstLine))
        default: return .line(line)
        }
    }

    /// Lends the rule, or other line, that the last step was about.
    public mutating func withRule<Result>(_ body: (inout Rule) -> Result) -> Result {
        body(&rule)
    }

    /// What the file decides, `nil` if none of its rules matches.
    public mutating func decide<System: RuleEnvironment & ~Copyable>(
        _ text: Span<UInt8>, _ system: borrowing System
    ) -> Decision? {
        while let step = step(text, system) {
            if case .decision(let decision) = step { return decision }
        }
        return nil
    }

    private mutating func matchRule<System: RuleEnvironment & ~Copyable>(_ system: borrowing System) -> Step {
        var work = MatchBudget()
        let daemons = rule.daemons
        let clients = rule.clients
        let options = rule.options
        let text = rule.text.span.extracting(0..<rule.count)
        var step: Step?
        if !query.matchesDaemons(text, daemons, system, &work) {
            step = .otherDaemon
            if work.needsName { step = .needsName(.server) }
        } else if !query.matchesClients(text, clients, system, &work) {
            step = .otherClient
            if work.needsName { step = .needsName(.client) }
        }
        steps += text.count + work.steps
        if work.hasTooManyFiles { return .decision(Decision(.denied, .tooManyPatternFiles, file, line: rule.line)) }
        if let step { return step }
        let outcome = OptionOutcome(text, options, system)
        if let fault = outcome.fault {
            badWord = fault.word
            return .decision(Decision(.denied, .badOption(fault.kind), file, line: rule.line))
        }
        let verdict = outcome.verdict ?? (file == .allow ? .granted : .denied)
        return .decision(Decision(verdict, outcome.isCommand ? .command : .rule, file, line: rule.line))
    }
}
