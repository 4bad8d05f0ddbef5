/// The words of a list, between blanks, tabs and commas.
struct ListTokenizer {
    private var position: Int
    private let end: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    mutating func next(of text: Span<UInt8>) -> Range<Int>? {
        while position < end && text[position].isSeparator { position += 1 }
        if position == end { return nil }
        let start = position
        while position < end && !text[position].isSeparator { position += 1 }
        return start..<position
    }

    /// The word of a list that begins with `#`.
    static func hash(_ range: Range<Int>, of text: Span<UInt8>) -> Range<Int>? {
        var words = ListTokenizer(range)
        while let word = words.next(of: text) {
            if text[word.lowerBound] == UInt8(ascii: "#") { return word }
        }
        return nil
    }
}

/// The words of a pattern file, between white space; lines that begin with `#` are comments, which libwrap does not know.
struct PatternTokenizer {
    private var position: Int
    /// The number of the line of the last word, from 1.
    private(set) var line = 1
    /// Where that line begins.
    private(set) var lineStart: Int

    init(_ text: Span<UInt8>) {
        position = text.startsWithByteOrderMark ? 3 : 0
        lineStart = position
    }

    mutating func next(of text: Span<UInt8>) -> Range<Int>? {
        while position < text.count {
            let byte = text[position]
            if byte == 10 {
                position += 1
                line += 1
                lineStart = position
            } else if byte.isBlank {
                position += 1
            } else if byte == UInt8(ascii: "#") && position == lineStart {
                position = text.firstIndex(of: 10, from: position) ?? text.count
            } else {
                let start = position
                while position < text.count && !text[position].isBlank { position += 1 }
                return start..<position
            }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Where the `@` between user and host stands, or between daemon and server: not in front.
    var atSign: Int? { firstIndex(of: UInt8(ascii: "@"), from: 1) }
}
