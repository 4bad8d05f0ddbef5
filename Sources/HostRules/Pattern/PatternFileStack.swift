/// The pattern files that a rule has had read for a check, so that there is an end to them.
struct PatternFileStack {
    /// What becomes of a file that is named.
    enum Outcome {
        /// It is to be read, and closed then.
        case open
        /// It is not, which is to be told.
        case refused(RuleProblem.Kind)
        /// It is not, as one before it: once is enough.
        case left
    }

    /// Fingerprints of the paths of those that are open, each named in the one before.
    private var paths = InlineArray<4, UInt64>(repeating: 0)
    private var depth = 0
    private var count = 0
    /// The bytes of them all.
    var steps = 0
    private var isLoopTold = false
    private var isLimitTold = false

    mutating func open(_ path: Span<UInt8>) -> Outcome {
        let fingerprint = path.fingerprint
        for index in 0..<depth where paths[index] == fingerprint {
            defer { isLoopTold = true }
            return isLoopTold ? .left : .refused(.fileLoop)
        }
        if depth == RuleQuery.patternFileDepth || count == RuleQuery.patternFileLimit {
            defer { isLimitTold = true }
            return isLimitTold ? .left : .refused(.tooManyFiles)
        }
        paths[depth] = fingerprint
        depth += 1
        count += 1
        return .open
    }

    mutating func close() {
        depth -= 1
    }
}
