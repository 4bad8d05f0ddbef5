/// What becomes of a client, and why.
public struct Decision: Equatable, Sendable {
    /// What becomes of it.
    public enum Verdict: Sendable {
        case granted
        case denied
        /// The rule's `twist` answers it, in place of the service; or its `aclexec` says what becomes of it.
        case delegated
    }

    /// What the verdict comes from.
    public enum Reason: Equatable, Sendable {
        /// No rule matches.
        case noRule
        /// A rule matches.
        case rule
        /// A rule matches, but only counts if the command of its `aclexec` succeeds: else no other of that file does.
        case command
        /// A rule matches, but has an option that is wrong: that denies.
        case badOption(RuleProblem.Kind)
        /// hosts.deny has a line that is too long, or broken otherwise: nothing behind it counts, and it denies.
        case brokenLine(RuleProblem.Kind)
        /// A file is there but can't be read: that denies.
        case unreadable
        /// A rule needs more pattern files than are read for one: that denies.
        case tooManyPatternFiles
    }

    /// What becomes of the client.
    public let verdict: Verdict
    /// What that comes from.
    public let reason: Reason
    /// The file that decided; `nil`: none.
    public let file: RuleFile?
    /// The number of the last line of what decided, from 1; 0: none.
    public let line: Int

    /// What becomes of a client that no rule matches.
    public static let noRule = Decision(.granted, .noRule)

    /// What becomes of a client if hosts.deny is there but can't be read.
    public static let unreadable = Decision(.denied, .unreadable, .deny)

    init(_ verdict: Verdict, _ reason: Reason, _ file: RuleFile? = nil, line: Int = 0) {
        self.verdict = verdict
        self.reason = reason
        self.file = file
        self.line = line
    }
}
