/// The value of a list with EXCEPT, which is put together word by word.
///
/// `a EXCEPT b EXCEPT c` is a but not those of b that are not of c: what counts is how many parts match from the first
/// on.
struct ExceptList {
    private var matchedParts = 0
    /// Whether a word of the part at hand matches: then the others of it need not be compared.
    var hasMatch = false

    /// Ends a part, as EXCEPT follows it, and returns whether what is behind that counts.
    mutating func endPart() -> Bool {
        if !hasMatch { return false }
        matchedParts += 1
        hasMatch = false
        return true
    }

    /// Whether the list matches, of which no more words count.
    var isMatched: Bool { (matchedParts + (hasMatch ? 1 : 0)) % 2 == 1 }
}

extension ListTokenizer {
    /// The next word of the first part of a list; `nil` at its end, or at EXCEPT.
    mutating func nextBeforeExcept(of text: Span<UInt8>) -> Range<Int>? {
        guard let word = next(of: text), !text.extracting(word).isExcept else { return nil }
        return word
    }

    /// Whether EXCEPT is in a list.
    static func hasExcept(_ range: Range<Int>, of text: Span<UInt8>) -> Bool {
        var words = ListTokenizer(range)
        while let word = words.next(of: text) {
            if text.extracting(word).isExcept { return true }
        }
        return false
    }

    /// Whether a list, and each part of it between EXCEPTs, has a word.
    static func isSound(_ range: Range<Int>, of text: Span<UInt8>) -> Bool {
        var isEmpty = true
        var words = ListTokenizer(range)
        while let word = words.next(of: text) {
            let isExcept = text.extracting(word).isExcept
            if isExcept && isEmpty { return false }
            isEmpty = isExcept
        }
        return !isEmpty
    }
}

extension Span<UInt8> {
    /// Whether this word stands between two parts of a list.
    var isExcept: Bool { equalsIgnoringCase("except") }
}
