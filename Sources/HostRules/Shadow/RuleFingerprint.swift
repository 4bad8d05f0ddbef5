/// Numbers that are equal for the same words, whatever their case but in the paths of files, and for nearly no others.
extension Span<UInt8> {
    /// That of a word.
    var fingerprint: UInt64 {
        var fingerprint = Fingerprint()
        fingerprint.add(self)
        return fingerprint.value
    }
}

/// A daemon and a client that a rule names, by fingerprints.
struct RulePair: Sendable {
    /// Of the two.
    let own: UInt64
    /// Of ALL and the client.
    let ofAllDaemons: UInt64
    /// Of the daemon and ALL.
    let ofAllClients: UInt64

    init(_ daemon: UInt64, _ client: UInt64, all: UInt64) {
        own = Self.mix(daemon, client)
        ofAllDaemons = Self.mix(all, client)
        ofAllClients = Self.mix(daemon, all)
    }

    private static func mix(_ daemon: UInt64, _ client: UInt64) -> UInt64 {
        let value = (daemon &* 0x9e37_79b9_7f4a_7c15) ^ client  // modulo 2^64, as below
        return (value ^ value >> 29) &* 0xbf58_476d_1ce4_e5b9
    }
}

extension Rule {
    /// The most words of one of the two lists for their pairs to be looked at.
    static let pairLimit = 4

    /// A number that is equal for rules with the same words in the lists of daemons and of clients, and for nearly no
    /// others: of the rule itself, and of the rule with ALL for daemons.
    var fingerprint: (own: UInt64, forAll: UInt64) {
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

    /// Whether one of the lists has an EXCEPT: then the rule does not match all that its words do.
    var hasExcept: Bool {
        mutating get {
            let (daemons, clients) = (daemons, clients)
            return withText { ListTokenizer.hasExcept(daemons, of: $0) || ListTokenizer.hasExcept(clients, of: $0) }
        }
    }

    /// Gives each pair of a daemon and a client, of those before EXCEPT, to a function, as long as that returns `true`.
    ///
    /// Takes time linear in the length of the rule: one of the lists has ``pairLimit`` words at most.
    ///
    /// - Returns: whether there was a pair, and the function always returned `true`; `false` too if there are too many.
    mutating func allPairs(_ body: (RulePair) -> Bool) -> Bool {
        let (daemons, clients) = (daemons, clients)
        return withText { text in
            let all = "all".utf8Span.span.fingerprint
            if let short = ShortList(text, daemons) {
                return short.all(text, clients) { daemon, client in body(RulePair(daemon, client, all: all)) }
            }
            guard let short = ShortList(text, clients) else { return false }
            return short.all(text, daemons) { client, daemon in body(RulePair(daemon, client, all: all)) }
        }
    }
}

/// The fingerprints of the words of a list that are before EXCEPT, if they are few.
private struct ShortList {
    private var words = InlineArray<4, UInt64>(repeating: 0)
    private var count = 0

    /// The words of a list; `nil`: there are more than ``Rule/pairLimit``.
    init?(_ text: Span<UInt8>, _ list: Range<Int>) {
        var words = ListTokenizer(list)
        while let range = words.nextBeforeExcept(of: text) {
            if count == Rule.pairLimit { return nil }
            self.words[count] = text.extracting(range).fingerprint
            count += 1
        }
    }

    /// Whether a function returns `true` for each of these words with each of another list, and there are any.
    func all(_ text: Span<UInt8>, _ list: Range<Int>, _ body: (UInt64, UInt64) -> Bool) -> Bool {
        var isEmpty = true
        var others = ListTokenizer(list)
        while let range = others.nextBeforeExcept(of: text) {
            let fingerprint = text.extracting(range).fingerprint
            for index in 0..<count {
                isEmpty = false
                if !body(words[index], fingerprint) { return false }
            }
        }
        return !isEmpty
    }
}

extension Span<UInt8> {
    fileprivate func has(_ byte: UInt8, at index: Int) -> Bool { index < count && self[index] == byte }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo 1991), of words.
private struct Fingerprint {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: Span<UInt8>, _ list: Range<Int>) {
        var words = ListTokenizer(list)
        while let word = words.next(of: text) { add(text.extracting(word)) }
        add(10)
    }

    mutating func add(_ word: Span<UInt8>) {
        let slash = UInt8(ascii: "/")
        let host = word.atSign.map { $0 + 1 } ?? 0
        let isPath = word.has(slash, at: 0) || word.has(slash, at: host)
        for index in word.indices { add(isPath ? word[index] : word[index].lowercased) }
        add(32)
    }

    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0100_0000_01b3  // modulo 2^64
    }
}
