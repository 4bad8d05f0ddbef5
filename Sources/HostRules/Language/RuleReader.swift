/// What a line of a rule file is, lines that are joined being one.
public enum RuleLine: Equatable, Sendable {
    case rule
    /// It begins with `#`, in the first column.
    case comment
    /// Nothing, or blanks.
    case empty
    /// There is no colon in it. It is skipped.
    case missingColon
    /// It is longer than ``Rule/capacity``, has a zero byte, or ends in a backslash at the end of the file: nothing
    /// behind it counts, and in hosts.deny everybody is denied.
    case broken(RuleProblem.Kind)
}

/// Reads the lines of a rule file, one by one, and keeps none.
public struct RuleReader: Sendable {
    private var position = 0
    private var line = 0

    /// A reader at the beginning of a file.
    public init() {}

    /// Reads the next line into a rule, of which only the text and the place are meant if it is none; `nil` at the end
    /// of the file, and behind a line that is broken.
    ///
    /// A byte order mark before the first line is skipped, a last line without newline counts.
    public mutating func next(of text: Span<UInt8>, into rule: inout Rule) -> RuleLine? {
        if position == 0 && text.startsWithByteOrderMark { position = 3 }
        if position >= text.count { return nil }
        line += 1
        rule.begin(at: position, line: line)
        while true {
            let newline = text.firstIndex(of: 10, from: position)
            let end = newline ?? text.count
            let isJoined = newline != nil && end > position && text[end - 1] == UInt8(ascii: "\\")
            let part = text.extracting(position..<(isJoined ? end - 1 : end))
            // What there is, this line, and its newline, also where that is missing.
            if rule.count + (end - position) + 1 > Rule.capacity { return stop(text, &rule, .tooLong) }
            if part.contains(0) { return stop(text, &rule, .zeroByte) }
            rule.append(part)
            position = min(end + 1, text.count)
            if position == text.count {
                // libwrap has read the backslash and the newline as nothing.
                let isCut = isJoined ? rule.count > 0 : newline == nil && text[end - 1] == UInt8(ascii: "\\")
                if isCut { return stop(text, &rule, .joinAtEnd) }
                break
            }
            if !isJoined { break }
            line += 1
        }
        rule.line = line
        rule.end = position
        return rule.kind()
    }

    private mutating func stop(_ text: Span<UInt8>, _ rule: inout Rule, _ problem: RuleProblem.Kind) -> RuleLine {
        position = text.count
        rule.line = line
        rule.end = position
        return .broken(problem)
    }
}

extension Rule {
    /// What its text is, of a line that is not broken.
    mutating func kind() -> RuleLine {
        let isComment = withText { !$0.isEmpty && $0[0] == UInt8(ascii: "#") }
        if isComment { return .comment }
        let isEmpty = withText { text in
            for index in text.indices where !text[index].isLineBlank { return false }
            return true
        }
        if isEmpty { return .empty }
        return split() ? .rule : .missingColon
    }
}

extension Span<UInt8> {
    /// Whether it begins with the three bytes that some editors put before UTF-8.
    var startsWithByteOrderMark: Bool { count >= 3 && self[0] == 0xef && self[1] == 0xbb && self[2] == 0xbf }
}

/// A place in a file, for people.
public struct RulePlace: Equatable, Sendable {
    /// The number of the line, from 1.
    public var line: Int
    /// The number of the byte in the line, from 1.
    public var column: Int
}

extension Rule {
    /// Where a byte of a rule stands in the file, at most as far as its end.
    ///
    /// The bytes are looked for from the first to the last: then all of them take time linear in the rule.
    mutating func place(of offset: Int, in file: Span<UInt8>) -> RulePlace {
        if offset < lastOffset {
            lastOffset = 0
            lastPosition = start
            lastPlace = RulePlace(line: firstLine, column: 1)
        }
        while lastPosition < file.count {
            placeSteps += 1
            let isJoin = file[lastPosition] == UInt8(ascii: "\\") && lastPosition + 1 < file.count
            if isJoin && file[lastPosition + 1] == 10 {
                lastPlace = RulePlace(line: lastPlace.line + 1, column: 1)
                lastPosition += 2
                continue
            }
            if lastOffset == offset { break }
            lastOffset += 1
            lastPlace.column += 1
            lastPosition += 1
        }
        return lastPlace
    }
}
