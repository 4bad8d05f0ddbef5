/// Words that say nothing, whatever is meant by them: `"192.0.2.7"`, `192.0.2.1-9`, `<address>`, `!192.0.2.7`.
extension Span<UInt8> {
    /// Whether neither an address as it is printed nor the name of a host is what this word describes, be it by
    /// wildcards, or by a dot at an end.
    ///
    /// A name has letters, digits, dots and hyphens, and underscores, which are not allowed, but used. It does not begin
    /// with a hyphen, no part of it is empty, and what has dots ends in a part with a letter (RFC 1123, section 2.1).
    var isNoHost: Bool {
        let text = extracting(0..<(zoneStart ?? count))
        if text.contains(UInt8(ascii: ":")) { return text.isNoIPv6Address }
        var (hasLetter, hasDot, hasHyphen) = (false, false, false)
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): hasLetter = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."):
                if index > 0 && text[index - 1] == UInt8(ascii: ".") { return true }
                hasDot = true
            case UInt8(ascii: "-"), UInt8(ascii: "_"): hasHyphen = true
            case UInt8(ascii: "*"), UInt8(ascii: "?"): break
            default: return true
            }
        }
        if text.isEmpty || text[0] == UInt8(ascii: "-") || text.equalsIgnoringCase(".") { return true }
        if text.hasWildcard { return false }
        if text.count > FixedName.capacity { return true }
        return hasDot && hasHyphen && !hasLetter && text[text.count - 1] != UInt8(ascii: ".")
    }

    /// Where a zone stands behind what can be an address that has one: `%eth0`, of which any bytes can be the name.
    private var zoneStart: Int? {
        guard let percent = firstIndex(of: UInt8(ascii: "%")) else { return nil }
        let address = extracting(0..<percent)
        return address.contains(UInt8(ascii: ":")) || address.hasWildcard ? percent : nil
    }

    /// Whether text with a colon, which no name has, describes no address either.
    private var isNoIPv6Address: Bool {
        for index in indices {
            switch self[index] {
            case UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "*"), UInt8(ascii: "?"): break
            default: if self[index].hexadecimalValue == nil { return true }
            }
        }
        if hasWildcard { return false }
        if self[0] == UInt8(ascii: ".") { return true }
        return self[count - 1] != UInt8(ascii: ".") && ipv6Address() == nil
    }

    /// Whether it has what stands for something else where it is read from, or around it: quotes, angle brackets, a
    /// semicolon, a mark that is to deny it, a variable.
    var hasOddBytes: Bool {
        if !isEmpty && self[0] == UInt8(ascii: "$") { return true }
        let odd = "\"'`<>{};!~".utf8Span.span
        for index in indices where odd.contains(self[index]) { return true }
        return false
    }

    /// Whether all of it is printed as it is.
    var isPrintableASCII: Bool {
        for index in indices where self[index] <= 32 || self[index] >= 127 { return false }
        return true
    }
}
