/// Patterns with the wildcards `*`, any bytes or none, and `?`, any one byte.
extension Span<UInt8> {
    /// Whether some text is as this pattern says, without regard to case.
    ///
    /// Takes at most (pattern + 1) * (text + 1) steps, whatever they are: only the last `*` is ever tried again, as an
    /// earlier one could do no better. With names of 255 bytes at most, that is linear in the pattern.
    func matches(_ text: Span<UInt8>, _ work: inout MatchBudget) -> Bool {
        var position = 0
        var index = 0
        /// Behind the last `*`, and where in the text it was last tried from.
        var retry: (position: Int, index: Int)?
        while true {
            work.steps += 1
            if position < count && self[position] == UInt8(ascii: "*") {
                position += 1
                if position == count { return true }
                retry = (position, index)
            } else if index == text.count && position == count {
                return true
            } else if index < text.count && position < count && isSame(self[position], text[index]) {
                position += 1
                index += 1
            } else if let last = retry, last.index < text.count {
                retry = (last.position, last.index + 1)
                position = last.position
                index = last.index + 1
            } else {
                return false
            }
        }
    }

    @inline(__always)
    private func isSame(_ wanted: UInt8, _ byte: UInt8) -> Bool {
        wanted == UInt8(ascii: "?") || wanted.lowercased == byte.lowercased
    }
}

/// What the matching of one rule has taken so far.
struct MatchBudget: Sendable {
    /// Bytes and words looked at, for the tests of the bounds.
    var steps = 0
    /// The pattern files that the rule names.
    var files = PatternFileStack()
    /// Whether there were more of them than are looked at, or one in itself.
    var hasTooManyFiles = false
    /// Whether a name was compared that has not been looked up.
    var needsName = false
}
