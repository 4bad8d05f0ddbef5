import ScanCore

/// Which rules match all that others can. What is said is true; not all that is true is said.
extension Rule {
    /// Whether this rule matches whatever another one can.
    mutating func covers(_ other: inout Rule) -> Bool {
        let (daemons, clients) = (daemons, clients)
        let (otherDaemons, otherClients) = (other.daemons, other.clients)
        let text = text.span.extracting(0..<count)
        let otherText = other.text.span.extracting(0..<other.count)
        return Cover.list(text, daemons, otherText, otherDaemons, of: .daemons)
            && Cover.list(text, clients, otherText, otherClients, of: .clients)
    }

    /// Whether it matches everything.
    var coversAll: Bool {
        mutating get {
            let (daemons, clients) = (daemons, clients)
            return withText { Cover.hasAll($0, daemons) && Cover.hasAll($0, clients) }
        }
    }

    /// Whether its clients may be those of rules that are not the same.
    var isWide: Bool {
        mutating get {
            let clients = clients
            return withText { Cover.isWide($0, clients) }
        }
    }

    /// Numbers that are equal for rules with the same words in the lists of daemons and of clients, and for nearly no
    /// others: of the rule itself, and of the rule with ALL for daemons.
    public var fingerprint: (own: UInt64, forAll: UInt64) {
        mutating get {
            let (daemons, clients) = (daemons, clients)
            return withText { text in
                var own = Fingerprint()
                own.add(text, daemons)
                own.add(text, clients)
                var forAll = Fingerprint()
                let all = "all".utf8Span.span
                forAll.add(all, 0..<all.count)
                forAll.add(text, clients)
                return (own.value, forAll.value)
            }
        }
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo 1991), of the words of lists.
private struct Fingerprint {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(never)
    mutating func add(_ text: Span<UInt8>, _ list: Range<Int>) {
        var words = RuleWords(list)
        while let word = words.next(of: text) {
            for index in word { add(text[index].lowercased) }
            add(32)
        }
        add(10)
    }

    private mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0100_0000_01b3  // modulo 2^64
    }
}

private enum Cover {
    enum Kind {
        case daemons, clients
    }

    /// Whether a list matches whatever another one can: it is the same, or each word of the other one's first part is
    /// covered by a word of it, and it has no EXCEPT.
    @inline(never)
    static func list(
        _ text: Span<UInt8>, _ list: Range<Int>, _ otherText: Span<UInt8>, _ other: Range<Int>, of kind: Kind
    ) -> Bool {
        if isSame(text, list, otherText, other) { return true }
        if hasExcept(text, list) { return false }
        var words = RuleWords(other)
        var isEmpty = true
        while let range = words.next(of: otherText) {
            let word = otherText.extracting(range)
            if word.reads("except") { break }
            isEmpty = false
            if !isCovered(word, by: text, list, of: kind) { return false }
        }
        return !isEmpty
    }

    private static func isSame(
        _ text: Span<UInt8>, _ list: Range<Int>, _ otherText: Span<UInt8>, _ other: Range<Int>
    ) -> Bool {
        var words = RuleWords(list)
        var otherWords = RuleWords(other)
        while true {
            let word = words.next(of: text)
            let otherWord = otherWords.next(of: otherText)
            guard let word, let otherWord else { return word == nil && otherWord == nil }
            if !text.extracting(word).isSame(as: otherText.extracting(otherWord)) { return false }
        }
    }

    private static func isCovered(
        _ word: Span<UInt8>, by text: Span<UInt8>, _ list: Range<Int>, of kind: Kind
    ) -> Bool {
        var words = RuleWords(list)
        while let range = words.next(of: text) {
            let pattern = text.extracting(range)
            if pattern.isSame(as: word) { return true }
            if pattern.atSign != nil { continue }
            let at = word.atSign
            switch kind {
            case .daemons: if daemon(pattern, covers: word.extracting(0..<(at ?? word.count))) { return true }
            case .clients:
                if host(pattern, covers: word.extracting((at.map { $0 + 1 } ?? 0)...)) { return true }
            }
        }
        return false
    }

    private static func daemon(_ pattern: Span<UInt8>, covers name: Span<UInt8>) -> Bool {
        if pattern.reads("all") || pattern.isSame(as: name) { return true }
        let isNumber = (pattern.decimal(limit: 65536) ?? 65536) < 65536 || (name.decimal(limit: 65536) ?? 65536) < 65536
        var work = MatchWork()
        return !isNumber && name.isPlain && pattern.describes(name, &work)
    }

    @inline(never)
    private static func host(_ pattern: Span<UInt8>, covers word: Span<UInt8>) -> Bool {
        if word.isEmpty { return false }
        if pattern.reads("all") || pattern.isSame(as: word) { return true }
        switch (AddressPattern(pattern), AddressPattern(word)) {
        case (.all, _): return true
        case (.net(let net, let mask), .net(let other, let otherMask)):
            return mask & otherMask == mask && other & mask == net
        case (.prefix(let net, let length), .prefix(let other, let otherLength)):
            return length <= otherLength && other.isIn(net, length: length)
        case (.wildcards, .net(let address, .max)):
            var work = MatchWork()
            return RuleName(Address(ipv4: address)).withBytes { pattern.matches($0, &work) }
        case (.refused, .refused): return name(pattern, covers: word)
        default: return false
        }
    }

    /// Of words that are compared with names.
    private static func name(_ pattern: Span<UInt8>, covers word: Span<UInt8>) -> Bool {
        guard case .text = HostPattern(pattern), case .text = HostPattern(word) else { return false }
        if word.isNumeric || pattern.isNumeric { return false }
        if word.isPlain {
            var work = MatchWork()
            return pattern.describes(word, &work)
        }
        // A domain in a domain.
        let dot = UInt8(ascii: ".")
        return pattern[0] == dot && word[0] == dot && !pattern.hasWildcard && !word.hasWildcard
            && word.has(pattern, at: word.count - pattern.count)
    }

    @inline(never)
    static func hasAll(_ text: Span<UInt8>, _ list: Range<Int>) -> Bool {
        if hasExcept(text, list) { return false }
        var words = RuleWords(list)
        while let word = words.next(of: text) {
            if text.extracting(word).reads("all") { return true }
        }
        return false
    }

    static func isWide(_ text: Span<UInt8>, _ list: Range<Int>) -> Bool {
        if hasExcept(text, list) { return false }
        var words = RuleWords(list)
        while let range = words.next(of: text) {
            let word = text.extracting(range)
            switch HostPattern(word) {
            case .all, .net: return true
            case .prefix(_, let length): if length < 128 { return true }
            case .text: if !word.isPlain { return true }
            default: break
            }
        }
        return false
    }

    @inline(never)
    private static func hasExcept(_ text: Span<UInt8>, _ list: Range<Int>) -> Bool {
        var words = RuleWords(list)
        while let word = words.next(of: text) {
            if text.extracting(word).reads("except") { return true }
        }
        return false
    }
}

extension Span<UInt8> {
    /// Whether it describes only the text that it is.
    fileprivate var isPlain: Bool {
        let dot = UInt8(ascii: ".")
        return !isEmpty && !hasWildcard && self[0] != dot && self[count - 1] != dot && !reads("all") && !reads("known")
            && !reads("unknown") && !reads("paranoid") && !reads("local")
    }
}
