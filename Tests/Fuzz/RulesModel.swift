/// The rules of hosts.allow and hosts.deny a second time and another way: lists of words, recursion where the language
/// has it, and no care for memory or time.
struct RulesModel {
    typealias Text = [UInt8]

    /// A host as a rule sees it.
    struct Host {
        /// The address as it is printed; `unknown` if it is not known.
        var address: Text
        /// 4 or 16 bytes; none if it is not known.
        var bytes: Text
        /// `unknown`, `paranoid`, or the name.
        var name: Text
    }

    var daemon: Text
    var port: Int?
    var server: Host
    var user: Text
    var client: Host
    var files: [Text: Text] = [:]
    var users: Set<Text> = []
    var groups: Set<Text> = []

    /// The pattern files that were opened for the rule at hand, one in another, and in all.
    private var depth = 0
    private var opened = 0

    init(daemon: Text, port: Int?, server: Host, user: Text, client: Host) {
        self.daemon = daemon
        self.port = port
        self.server = server
        self.user = user
        self.client = client
    }

    /// More pattern files than are looked at.
    private struct TooManyFiles: Error {}

    /// What a file decides, in words: the verdict, and the number of the line; `nil` if it leaves it open.
    mutating func decide(_ file: Text, isAllow: Bool) -> String? {
        for line in Self.lines(of: file) {
            if line.isBroken { return isAllow ? nil : "denied \(line.first)" }
            if line.text.first == ascii("#") { continue }
            let (daemons, rest) = Self.field(line.text)
            guard let rest else { continue }
            let (clients, options) = Self.field(rest)
            depth = 0
            opened = 0
            do {
                let isMatched =
                    try matches(daemons, { try $0.matchesDaemon($1) })
                    && matches(clients, { try $0.matchesClient($1) })
                if !isMatched { continue }
            } catch {
                return "denied \(line.last)"
            }
            return "\(verdict(options) ?? (isAllow ? "granted" : "denied")) \(line.last)"
        }
        return nil
    }

    // MARK: Lines

    struct Line {
        var text: Text = []
        var first = 0
        var last = 0
        var isBroken = false
    }

    static func lines(of file: Text) -> [Line] {
        var file = file
        if file.starts(with: [0xef, 0xbb, 0xbf]) { file.removeFirst(3) }
        var parts = file.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        let endsInNewline = parts.last == []
        if endsInNewline { parts.removeLast() }
        var lines: [Line] = []
        var line: Line?
        for (index, part) in parts.enumerated() {
            let isLast = index + 1 == parts.count
            let isJoined = part.last == ascii("\\") && (!isLast || endsInNewline)
            var current = line ?? Line(first: index + 1)
            current.last = index + 1
            if current.text.count + part.count + 1 > 2047 || part.contains(0) {
                current.isBroken = true
                return lines + [current]
            }
            current.text += isJoined ? part.dropLast() : part[...]
            // A last line that would be joined with the next.
            current.isBroken = isLast && part.last == ascii("\\") && !current.text.isEmpty
            if isJoined && !isLast {
                line = current
            } else {
                lines.append(current)
                line = nil
            }
        }
        return lines
    }

    /// What stands before the first colon with as many brackets opened as closed before it, and what behind it.
    static func field(_ text: Text) -> (Text, Text?) {
        for index in text.indices where text[index] == ascii(":") {
            let before = text[..<index]
            let isOutside = before.count { $0 == ascii("[") } == before.count { $0 == ascii("]") }
            if isOutside { return (Array(before), Array(text[(index + 1)...])) }
        }
        return (text, nil)
    }

    // MARK: Lists

    private mutating func matches(_ list: Text, _ test: (inout RulesModel, Text) throws -> Bool) throws -> Bool {
        try matches(list.split { [32, 9, 10, 13, ascii(",")].contains($0) }.map { lower(Array($0)) }[...], test)
    }

    private mutating func matches(
        _ words: ArraySlice<Text>, _ test: (inout RulesModel, Text) throws -> Bool
    ) throws -> Bool {
        for (index, word) in zip(words.indices, words) {
            if word == text("except") { return false }
            if try test(&self, word) {
                guard let except = words[(index + 1)...].firstIndex(of: text("except")) else { return true }
                return try !matches(words[(except + 1)...], test)
            }
        }
        return false
    }

    private static func splitAtSign(_ word: Text) -> (Text, Text?) {
        guard let at = word.dropFirst().firstIndex(of: ascii("@")) else { return (word, nil) }
        return (Array(word[..<at]), Array(word[(at + 1)...]))
    }

    private mutating func matchesDaemon(_ word: Text) throws -> Bool {
        let (name, host) = Self.splitAtSign(word)
        if let number = Self.number(name), number < 65536 {
            if number != port { return false }
        } else if !Self.matches(name, daemon) {
            return false
        }
        guard let host else { return true }
        return try matches(host, server)
    }

    private mutating func matchesClient(_ word: Text) throws -> Bool {
        let (name, host) = Self.splitAtSign(word)
        guard let host else { return try matches(word, client) }
        return try matches(host, client) && Self.matches(name, user)
    }

    // MARK: Words

    private mutating func matches(_ word: Text, _ host: Host) throws -> Bool {
        let isKnown = ![text("unknown"), text("paranoid")].contains(lower(host.name))
        switch word.first {
        case nil, ascii("@"): return false
        case ascii("/"): return try matchesFile(word, host)
        case ascii("["): return Self.bracketed(word, host.bytes)
        default: break
        }
        if word == text("known") { return !host.bytes.isEmpty && isKnown }
        if word == text("local") { return isKnown && !host.name.contains(ascii(".")) }
        if let slash = word.firstIndex(of: ascii("/")) {
            return Self.isIn(Array(word[..<slash]), Array(word[(slash + 1)...]), host.bytes)
        }
        if Self.matches(word, host.address) { return true }
        return !word.allSatisfy { text("0123456789./").contains($0) } && Self.matches(word, host.name)
    }

    private mutating func matchesFile(_ path: Text, _ host: Host) throws -> Bool {
        if depth == 4 || opened == 64 { throw TooManyFiles() }
        opened += 1
        guard var file = files[path] else { return false }
        depth += 1
        defer { depth -= 1 }
        if file.starts(with: [0xef, 0xbb, 0xbf]) { file.removeFirst(3) }
        for line in file.split(separator: 10) where line.first != ascii("#") {
            for word in line.split(whereSeparator: { isBlank($0) }) {
                if try matches(lower(Array(word)), host) { return true }
            }
        }
        return false
    }

    /// Compares a word, in small letters, with a text.
    private static func matches(_ word: Text, _ string: Text) -> Bool {
        let string = lower(string)
        guard let first = word.first, let last = word.last else { return false }
        if word.contains(ascii("*")) || word.contains(ascii("?")) { return matchesWildcards(word, string) }
        if first == ascii(".") { return string.count > word.count && Array(string.suffix(word.count)) == word }
        if word == text("all") { return true }
        if word == text("known") { return string != text("unknown") }
        return last == ascii(".") ? string.starts(with: word) : string == word
    }

    /// By a table: whether the first so many of a pattern match the first so many of a string.
    private static func matchesWildcards(_ pattern: Text, _ string: Text) -> Bool {
        var table = Array(repeating: Array(repeating: false, count: string.count + 1), count: pattern.count + 1)
        table[0][0] = true
        for row in 1...pattern.count {
            for column in 0...string.count {
                let byte = pattern[row - 1]
                if byte == ascii("*") {
                    table[row][column] = table[row - 1][column] || column > 0 && table[row][column - 1]
                } else if column > 0 {
                    let fits = byte == ascii("?") || byte == string[column - 1]
                    table[row][column] = fits && table[row - 1][column - 1]
                }
            }
        }
        return table[pattern.count][string.count]
    }

    // MARK: Addresses

    /// `net/mask` or `net/length`.
    private static func isIn(_ net: Text, _ mask: Text, _ address: Text) -> Bool {
        guard address.count == 4, address != [255, 255, 255, 255], let net = inetAddress(net) else { return false }
        var bits = inetAddress(mask)
        if bits == nil, let length = number(mask), length >= 1, length <= 32 {
            bits = [0, 0, 0, 0]
            for bit in 0..<length { bits?[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        }
        guard let bits else { return false }
        return (0..<4).allSatisfy { address[$0] & bits[$0] == net[$0] }
    }

    /// Four numbers, each decimal, octal or hexadecimal, and not all of them 255.
    private static func inetAddress(_ word: Text) -> Text? {
        let parts = word.split(separator: ascii("."), omittingEmptySubsequences: false)
        if parts.count != 4 { return nil }
        var bytes: Text = []
        for part in parts {
            let digits = String(decoding: part, as: UTF8.self)
            let value: UInt64?
            if digits.hasPrefix("+") || digits.hasPrefix("-") {
                value = nil
            } else if digits.hasPrefix("0x") {
                value = plain(digits.dropFirst(2), 16)
            } else if digits.count > 1 && digits.hasPrefix("0") {
                value = plain(digits.dropFirst(1), 8)
            } else {
                value = plain(digits[...], 10)
            }
            guard let value, value < 256 else { return nil }
            bytes.append(UInt8(value))
        }
        return bytes == [255, 255, 255, 255] ? nil : bytes
    }

    private static func plain(_ digits: Substring, _ radix: Int) -> UInt64? {
        digits.hasPrefix("+") || digits.hasPrefix("-") ? nil : UInt64(digits, radix: radix)
    }

    private static func bracketed(_ word: Text, _ address: Text) -> Bool {
        guard address.count == 16, let close = word.firstIndex(of: ascii("]")) else { return false }
        var inside = String(decoding: word[1..<close], as: UTF8.self)
        let rest = Array(word[(close + 1)...])
        if rest.isEmpty {
            let parts = inside.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 && !parts[1].isEmpty { inside = String(parts[0]) }
            guard let wanted = ipv6(inside) else { return false }
            return wanted == address && !(wanted.starts(with: Array(repeating: 0, count: 10) + [255, 255]))
        }
        if rest[0] != ascii("/") { return false }
        guard let wanted = ipv6(inside), let length = number(Array(rest[1...])), length <= 128 else { return false }
        for bit in 0..<length {
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            if wanted[bit / 8] & mask != address[bit / 8] & mask { return false }
        }
        return true
    }

    /// The 16 bytes of an IPv6 address.
    static func ipv6(_ text: String) -> Text? {
        // "::" stands for as many groups as are missing, one at least here: a pattern of eight groups has none.
        var halves: [Substring] = [text[...]]
        if let gap = firstGap(text) {
            halves = [text[..<gap], text[text.index(gap, offsetBy: 2)...]]
        }
        var bytes: [Text] = []
        for (index, half) in halves.enumerated() {
            guard let part = groups(half, mayEndInIPv4: index + 1 == halves.count) else { return nil }
            bytes.append(part)
        }
        if bytes.count == 1 { return bytes[0].count == 16 ? bytes[0] : nil }
        let missing = 16 - bytes[0].count - bytes[1].count
        return missing < 2 ? nil : bytes[0] + Array(repeating: 0, count: missing) + bytes[1]
    }

    private static func firstGap(_ text: String) -> String.Index? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix("::") { return index }
            index = text.index(after: index)
        }
        return nil
    }

    private static func groups(_ half: Substring, mayEndInIPv4: Bool) -> Text? {
        if half.isEmpty { return [] }
        var bytes: Text = []
        let parts = half.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4 && index + 1 == parts.count && part.contains(".") {
                let octets = part.split(separator: ".", omittingEmptySubsequences: false)
                if octets.count != 4 { return nil }
                for octet in octets {
                    guard let value = plain(octet, 10), value < 256, String(value) == octet else { return nil }
                    bytes.append(UInt8(value))
                }
            } else {
                guard part.utf8.count <= 4, let value = plain(part, 16) else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 255)]
            }
        }
        return bytes
    }

    /// A number of decimal digits, however many; one that is too large is as large as it gets.
    private static func number(_ digits: Text) -> Int? {
        if digits.isEmpty || !digits.allSatisfy({ text("0123456789").contains($0) }) { return nil }
        return Int(String(decoding: digits, as: UTF8.self)) ?? Int.max
    }
}

// MARK: Options

extension RulesModel {
    /// What the options say; `nil`: nothing.
    func verdict(_ options: Text?) -> String? {
        guard let options else { return nil }
        var fields: [Text] = [[]]
        var isEscaped = false
        for (index, byte) in options.enumerated() {
            if isEscaped {
                fields[fields.count - 1].append(byte)
                isEscaped = false
            } else if byte == ascii(":") {
                fields.append([])
            } else {
                fields[fields.count - 1].append(byte)
                isEscaped = byte == ascii("\\") && index + 1 < options.count && options[index + 1] == ascii(":")
            }
        }
        var verdict: String?
        for (index, field) in fields.enumerated() {
            guard let said = check(trim(field), isLast: index + 1 == fields.count) else { return "denied" }
            if said != "" { verdict = said }
        }
        return verdict
    }

    /// What an option says, `""` for nothing; `nil` if it is wrong.
    private func check(_ option: Text, isLast: Bool) -> String? {
        let end = option.firstIndex { isBlank($0) || $0 == ascii("=") } ?? option.count
        let name = String(decoding: lower(Array(option[..<end])), as: UTF8.self)
        var value = trim(Array(option[end...]))
        if value.first == ascii("=") { value = trim(Array(value.dropFirst())) }
        switch name {
        case "allow", "deny":
            return value.isEmpty && isLast ? (name == "allow" ? "granted" : "denied") : nil
        case "twist": return !value.isEmpty && isLast ? "delegated" : nil
        case "aclexec": return value.isEmpty ? nil : "delegated"
        case "spawn", "setenv", "banners": return value.isEmpty ? nil : ""
        case "keepalive": return value.isEmpty ? "" : nil
        case "severity": return isSeverity(lower(value)) ? "" : nil
        case "user": return isUser(value) ? "" : nil
        case "group": return groups.contains(value) ? "" : nil
        case "nice": return value.isEmpty || number(value) != nil ? "" : nil
        case "rfc931": return value.isEmpty || number(value).map { $0 > 0 } ?? false ? "" : nil
        case "linger": return number(value).map { $0 >= 0 } ?? false ? "" : nil
        case "umask": return isMask(value) ? "" : nil
        default: return nil
        }
    }

    /// A number of 31 bits with or without a sign.
    private func number(_ value: Text) -> Int? {
        let digits = value.first == ascii("-") || value.first == ascii("+") ? value.dropFirst() : value[...]
        guard digits.allSatisfy({ text("0123456789").contains($0) }),
            let number = Int(String(decoding: digits, as: UTF8.self)), number <= 0x7fff_ffff
        else { return nil }
        return value.first == ascii("-") ? -number : number
    }

    private func isMask(_ value: Text) -> Bool {
        guard let number = number(value), number >= 0 else { return false }
        let digits = String(decoding: value.filter { $0 != ascii("+") && $0 != ascii("-") }, as: UTF8.self)
        return Int(digits, radix: 8).map { $0 <= 0o777 } ?? false
    }

    private func isUser(_ value: Text) -> Bool {
        guard let dot = value.firstIndex(of: ascii(".")) else { return users.contains(value) }
        return users.contains(Array(value[..<dot])) && groups.contains(Array(value[(dot + 1)...]))
    }

    private func isSeverity(_ value: Text) -> Bool {
        let levels = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
        var facilities = ["auth", "cron", "daemon", "kern", "lpr", "mail", "news", "user", "uucp"]
        for number in 0..<8 { facilities.append("local\(number)") }
        guard let dot = value.firstIndex(of: ascii(".")) else {
            return levels.contains { text($0) == value }
        }
        return facilities.contains { text($0) == Array(value[..<dot]) }
            && levels.contains { text($0) == Array(value[(dot + 1)...]) }
    }
}

private func ascii(_ character: Unicode.Scalar) -> UInt8 { UInt8(ascii: character) }

private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

private func lower(_ text: [UInt8]) -> [UInt8] { text.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 } }

private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte >= 9 && byte <= 13 }

private func trim(_ text: [UInt8]) -> [UInt8] {
    Array(Array(text.drop { isBlank($0) }.reversed()).drop { isBlank($0) }.reversed())
}
