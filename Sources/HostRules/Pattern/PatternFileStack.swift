/// The pattern files that a rule has had read, so that there is an end to them, whether it is checked or matched.
struct PatternFileStack: Sendable {
    /// How many may be open at once, each named in the one before.
    private static var depthLimit: Int { 4 }
    /// How many are read for one rule.
    private static var limit: Int { 64 }

    /// What becomes of a file that is named.
    enum Outcome {
        /// It is to be read, and closed then.
        case open
        /// It is not, for this reason.
        case refused(RuleProblem.Kind)
        /// It is not, for a reason that there was before: to report that once is enough.
        case refusedAgain
    }

    /// Fingerprints of the paths of those that are open, each named in the one before.
    private var paths = InlineArray<4, UInt64>(repeating: 0)
    private var depth = 0
    private var count = 0
    /// The bytes of them all, for the tests of the bounds of a check.
    var steps = 0
    private var hasLoop = false
    private var hasTooMany = false

    mutating func open(_ path: Span<UInt8>) -> Outcome {
        let fingerprint = path.fingerprint
        for index in 0..<depth where paths[index] == fingerprint {
            defer { hasLoop = true }
            return hasLoop ? .refusedAgain : .refused(.fileLoop)
        }
        if depth == Self.depthLimit || count == Self.limit {
            defer { hasTooMany = true }
            return hasTooMany ? .refusedAgain : .refused(.tooManyFiles)
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
