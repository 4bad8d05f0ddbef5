import ScanCore

/// What is remembered of the rules of a file that may hide later ones, in fixed memory of about 70 KiB: of 256 of them at
/// most, up to four daemons and four clients, with 64 bytes of names that have wildcards, or dots at an end.
struct ShadowIndex: ~Copyable, Sendable {
    /// How many are indexed.
    static var capacity: Int { 256 }
    /// The most words of a list of one that is indexed.
    private static var wordLimit: Int { 4 }
    /// The most bytes of text of one that is indexed.
    private static var textLimit: Int { 64 }
    /// What the search for one that hides a rule may take, for each byte of that rule, before it is given up.
    private static var stepsPerByte: Int { 256 }

    private(set) var count = 0
    private var lines = InlineArray<256, Int>(repeating: 0)
    /// Whether what a rule matches is decided by it, and never by the file that is read next.
    private var decides = InlineArray<256, Bool>(repeating: false)
    /// Of each rule, how many of the four places for daemons are taken, and of the four for clients.
    private var daemonCounts = InlineArray<256, UInt8>(repeating: 0)
    private var clientCounts = InlineArray<256, UInt8>(repeating: 0)
    /// Room for one more: what a rule is, is known when its words have their places.
    private var patterns = InlineArray<2056, SubsumingPattern>(repeating: .all)
    private var texts = InlineArray<16384, UInt8>(repeating: 0)

    /// The line of the first rule that matches everything; 0: none.
    private(set) var lineOfAll = 0
    private var allDecides = false

    /// No rules.
    init() {}

    /// The line of the first rule that matches everything and leaves nothing to the file that is read next; 0: none.
    var decidingLineOfAll: Int { allDecides ? lineOfAll : 0 }

    /// Keeps a rule, if it may hide others that are not the same, and there is room.
    mutating func add(_ rule: inout Rule) {
        if lineOfAll > 0 { return }
        let (line, daemons, clients) = (rule.line, rule.daemons, rule.clients)
        let decides = !rule.hasCommandThatDecides
        var text = SubsumingText()
        let lists: (daemons: IndexedList, clients: IndexedList)? = rule.withText { bytes in
            guard let daemons = add(bytes, daemons, of: .daemons, at: count * 8, &text),
                let clients = add(bytes, clients, of: .clients, at: count * 8 + Self.wordLimit, &text)
            else { return nil }
            return (daemons, clients)
        }
        guard let lists else { return }
        if lists.daemons.hasAll && lists.clients.hasAll {
            lineOfAll = line
            allDecides = decides
        }
        if lineOfAll > 0 || count == Self.capacity || !lists.daemons.isWide && !lists.clients.isWide { return }
        for index in 0..<text.count { texts[count * Self.textLimit + index] = text.bytes[index] }
        lines[count] = line
        self.decides[count] = decides
        daemonCounts[count] = UInt8(lists.daemons.count)
        clientCounts[count] = UInt8(lists.clients.count)
        count += 1
    }

    private struct IndexedList {
        var count = 0
        /// Whether all words are indexed.
        var isWhole = true
        var isWide = false
        var hasAll = false
    }

    /// Keeps the words of a list from a place on; `nil`: it has none, or too many, or an EXCEPT.
    private mutating func add(
        _ bytes: Span<UInt8>, _ list: Range<Int>, of kind: SubsumptionKind, at place: Int, _ text: inout SubsumingText
    ) -> IndexedList? {
        var indexed = IndexedList()
        var words = ListTokenizer(list)
        while let range = words.next(of: bytes) {
            let word = bytes.extracting(range)
            if word.isExcept { return nil }
            guard !indexed.hasAll, let pattern = SubsumingPattern(word, of: kind, &text) else {
                indexed.isWhole = indexed.hasAll
                continue
            }
            if case .all = pattern {
                // The words beside it say nothing more.
                indexed = IndexedList(count: 1, isWide: kind == .clients, hasAll: true)
                patterns[place] = pattern
            } else if indexed.count == Self.wordLimit {
                indexed.isWhole = false
            } else {
                patterns[place + indexed.count] = pattern
                indexed.count += 1
                if pattern.isWide { indexed.isWide = true }
            }
        }
        return indexed.count == 0 || !indexed.isWhole ? nil : indexed
    }

    /// The line of the first rule that matches all that another one can; `nil`: none does, or it took too long to find.
    ///
    /// - Parameter onlyDeciding: whether rules do not count that may leave what they match to the next file.
    mutating func line(hiding rule: inout Rule, onlyDeciding: Bool = false, _ work: inout MatchBudget) -> Int? {
        var hiding = Candidates()
        for index in 0..<count where decides[index] || !onlyDeciding { hiding.add(index) }
        let (daemons, clients) = (rule.daemons, rule.clients)
        let isHidden = rule.withText { text in
            narrow(&hiding, to: text, clients, of: .clients, &work)
                && narrow(&hiding, to: text, daemons, of: .daemons, &work)
        }
        return isHidden ? lines[hiding.first] : nil
    }

    /// Leaves only those of the candidates that match the first part of a list, and returns whether there are any.
    private mutating func narrow(
        _ candidates: inout Candidates, to text: Span<UInt8>, _ list: Range<Int>, of kind: SubsumptionKind,
        _ work: inout MatchBudget
    ) -> Bool {
        let limit = work.steps + text.count * Self.stepsPerByte
        var words = ListTokenizer(list)
        var isEmpty = true
        while let range = words.nextBeforeExcept(of: text) {
            let word = text.extracting(range)
            isEmpty = false
            let covered = SubsumedWord(word, of: kind)
            work.steps += 1 + word.count
            var left = 0
            for position in 0..<candidates.count {
                let index = candidates[position]
                if covers(index, word, covered, &work) {
                    candidates[left] = index
                    left += 1
                }
                if work.steps > limit { return false }
            }
            candidates.count = left
            if left == 0 { return false }
        }
        return !isEmpty
    }

    private mutating func covers(
        _ index: Int, _ word: Span<UInt8>, _ covered: SubsumedWord, _ work: inout MatchBudget
    ) -> Bool {
        let isDaemon = covered.kind == .daemons
        let place = index * 8 + (isDaemon ? 0 : Self.wordLimit)
        let text = texts.span.extracting(index * Self.textLimit..<(index + 1) * Self.textLimit)
        for place in place..<place + Int(isDaemon ? daemonCounts[index] : clientCounts[index]) {
            work.steps += 1
            if patterns[place].covers(word, covered, text, &work) { return true }
        }
        return false
    }
}

/// Places of rules.
private struct Candidates {
    private var places = InlineArray<256, UInt8>(repeating: 0)
    var count = 0

    mutating func add(_ place: Int) {
        self[count] = place
        count += 1
    }

    var first: Int { self[0] }

    subscript(index: Int) -> Int {
        get { Int(places[index]) }
        set { places[index] = UInt8(newValue) }
    }
}
