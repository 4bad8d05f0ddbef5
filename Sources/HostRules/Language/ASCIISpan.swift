/// Comparisons of bytes, in which ASCII letters are the same in both cases, as everywhere in the language.
extension Span<UInt8> {
    /// Whether this is some text, which is given in lower case.
    package func equalsIgnoringCase(_ text: String) -> Bool {
        let other = text.utf8Span.span
        if count != other.count { return false }
        for index in indices where self[index].lowercased != other[index] { return false }
        return true
    }

    /// Whether the bytes from an offset on, which may be too few or negative, begin with others.
    func has(_ other: Span<UInt8>, at offset: Int) -> Bool {
        if offset < 0 || offset > count - other.count { return false }
        for index in other.indices where self[offset + index].lowercased != other[index].lowercased { return false }
        return true
    }

    /// Whether two texts are the same.
    func isSame(as other: Span<UInt8>) -> Bool { count == other.count && has(other, at: 0) }

    /// The first place of a byte from an offset on.
    func firstIndex(of byte: UInt8, from offset: Int = 0) -> Int? {
        var index = offset
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Whether a byte is in it.
    func contains(_ byte: UInt8) -> Bool { firstIndex(of: byte) != nil }

    /// Whether it has one of the two wildcards, `*` for any bytes and `?` for any one.
    var hasWildcard: Bool { contains(UInt8(ascii: "*")) || contains(UInt8(ascii: "?")) }

    /// Whether the letters of it are digits, dots and slashes only: then it is never compared with a host's name.
    var isNumeric: Bool {
        for index in indices {
            let byte = self[index]
            if !byte.isDigit && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "/") { return false }
        }
        return true
    }

    /// The number of which these are the digits, at least one, and nothing else; `limit` if it is greater than that.
    func decimal(limit: Int) -> Int? {
        if isEmpty { return nil }
        var value = 0
        for index in indices {
            if !self[index].isDigit { return nil }
            value = Swift.min(value * 10 + Int(self[index] - UInt8(ascii: "0")), limit)
        }
        return value
    }
}

extension UInt8 {
    /// An ASCII capital as a small letter, anything else as it is.
    var lowercased: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self + 32 : self }

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        if isDigit { return self - UInt8(ascii: "0") }
        let letter = lowercased
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "f") ? letter - UInt8(ascii: "a") + 10 : nil
    }

    /// What stands between the words of a list.
    var isSeparator: Bool { self == UInt8(ascii: ",") || isLineBlank }

    /// What a line of nothing else is empty for.
    var isLineBlank: Bool { self == 32 || self == 9 || self == 10 || self == 13 }

    /// White space as C has it, which is what stands between the words of an option, and of a pattern file.
    var isBlank: Bool { self == 32 || self >= 9 && self <= 13 }
}
