/// The rules of a file by fingerprints, their own and those of the pairs of a daemon and a client that they name, so
/// that what comes twice is found at once: a hash table with open addresses, half full at most.
///
/// Nothing takes more than a fixed number of steps, whatever the fingerprints are: what does not find its place near by
/// is left out. So is what comes when there is no more memory.
///
/// What reads it is mutating, also where it changes nothing: see ``ExemptRules``.
struct RulePairTable<Memory: RulePairMemory & ~Copyable>: ~Copyable {
    private(set) var memory: Memory
    private var count = 0
    /// Whether there was no more memory when it was asked for.
    private var isFull = false

    private static var triesLimit: Int { 64 }

    /// An empty table.
    init(_ memory: consuming Memory) {
        self.memory = memory
    }

    /// The line of a rule with the same lists as another, or with ALL in place of its daemons.
    ///
    /// - Parameter onlyDeciding: whether rules do not count that may leave what they match to the next file.
    mutating func line(repeatedBy rule: inout Rule, onlyDeciding: Bool = false) -> Int? {
        let fingerprint = rule.fingerprint
        return line(of: fingerprint.own, onlyDeciding) ?? line(of: fingerprint.forAll, onlyDeciding)
    }

    /// The first and the last line of those that name each daemon of a rule, or ALL, with each of its clients, or ALL;
    /// `nil` if not all of them are named.
    mutating func lines(hiding rule: inout Rule, onlyDeciding: Bool = false) -> ClosedRange<Int>? {
        var first = Int.max
        var last = 0
        let isHidden = rule.allPairs { pair in
            let line =
                line(of: pair.own, onlyDeciding) ?? line(of: pair.ofAllDaemons, onlyDeciding)
                ?? line(of: pair.ofAllClients, onlyDeciding)
            guard let line else { return false }
            first = min(first, line)
            last = max(last, line)
            return true
        }
        return isHidden ? first...last : nil
    }

    /// The line of a rule that leaves nothing to the next file and names what a rule of that does.
    mutating func lineAlone(hiding rule: inout Rule) -> Int? {
        if let line = line(repeatedBy: &rule, onlyDeciding: true) { return line }
        guard let lines = lines(hiding: &rule, onlyDeciding: true), lines.count == 1 else { return nil }
        return lines.lowerBound
    }

    private mutating func line(of fingerprint: UInt64, _ onlyDeciding: Bool) -> Int? {
        guard let place = place(of: fingerprint) else { return nil }
        let slot = memory[place]
        return slot.line == 0 || onlyDeciding && !slot.decides ? nil : Int(slot.line)
    }

    /// Adds a rule.
    mutating func add(_ rule: inout Rule) {
        let decides = !rule.hasCommandThatDecides
        let line = UInt32(clamping: rule.line)
        add(RulePairSlot(rule.fingerprint.own, line: line, decides: decides))
        if rule.hasExcept { return }
        _ = rule.allPairs { pair in
            add(RulePairSlot(pair.own, line: line, decides: decides))
            return true
        }
    }

    private mutating func add(_ slot: RulePairSlot) {
        if count == memory.count / 2 && !grow() { return }
        guard let place = place(of: slot.fingerprint), memory[place].line == 0 else { return }
        memory[place] = slot
        count += 1
    }

    /// Makes room for twice as many, and returns whether there is.
    private mutating func grow() -> Bool {
        if isFull { return false }
        guard var old = memory.doubled() else {
            isFull = true
            return false
        }
        swap(&old, &memory)
        count = 0
        for index in 0..<old.count where old[index].line != 0 {
            guard let place = place(of: old[index].fingerprint) else { continue }
            memory[place] = old[index]
            count += 1
        }
        return true
    }

    /// Where a fingerprint is, or would be; `nil`: what is near its place is taken.
    private mutating func place(of fingerprint: UInt64) -> Int? {
        let start = Int(truncatingIfNeeded: fingerprint ^ fingerprint >> 32)
        for tries in 0..<Self.triesLimit {
            let index = (start &+ tries) & (memory.count - 1)  // the count is a power of two
            let slot = memory[index]
            if slot.line == 0 || slot.fingerprint == fingerprint { return index }
        }
        return nil
    }
}
