#if Rules
    import Capture
    import HostRules
    import System

    /// The rules of a file by fingerprints, their own and those of the pairs of a daemon and a client that they name, so
    /// that what comes twice is found at once: a hash table with open addresses, half full at most.
    ///
    /// Nothing takes more than a fixed number of steps, whatever the fingerprints are: what does not find its place near
    /// by is left out.
    struct RulePairTable: ~Copyable {
        private struct Slot {
            var fingerprint: UInt64
            /// 0: the slot is free.
            var line: UInt32
            /// Whether the rule leaves nothing that it matches to the next file.
            var decides: Bool
        }

        private var slots: ZeroedArray<Slot>
        private var count = 0
        /// What kept rules from being added.
        private(set) var failure: SystemError?

        private static var triesLimit: Int { 64 }

        /// An empty table.
        init() throws(SystemError) {
            slots = try Self.memory(1024)
        }

        private static func memory(_ capacity: Int) throws(SystemError) -> ZeroedArray<Slot> {
            try ZeroedArray(capacity, "memory for the rules")
        }

        /// The line of a rule with the same lists as another, or with ALL in place of its daemons.
        ///
        /// - Parameter onlyDeciding: whether rules do not count that may leave what they match to the next file.
        func line(repeatedBy rule: inout Rule, onlyDeciding: Bool = false) -> Int? {
            let fingerprint = rule.fingerprint
            return line(of: fingerprint.own, onlyDeciding) ?? line(of: fingerprint.forAll, onlyDeciding)
        }

        /// The first and the last line of those that name each daemon of a rule, or ALL, with each of its clients, or ALL;
        /// `nil` if not all of them are named.
        func lines(hiding rule: inout Rule, onlyDeciding: Bool = false) -> ClosedRange<Int>? {
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
        func lineAlone(hiding rule: inout Rule) -> Int? {
            if let line = line(repeatedBy: &rule, onlyDeciding: true) { return line }
            guard let lines = lines(hiding: &rule, onlyDeciding: true), lines.count == 1 else { return nil }
            return lines.lowerBound
        }

        @inline(never)
        private func line(of fingerprint: UInt64, _ onlyDeciding: Bool) -> Int? {
            guard let place = place(of: fingerprint) else { return nil }
            let slot = slots[place]
            return slot.line == 0 || onlyDeciding && !slot.decides ? nil : Int(slot.line)
        }

        /// Adds a rule.
        mutating func add(_ rule: inout Rule) {
            let decides = !rule.hasCommandThatDecides
            let line = UInt32(clamping: rule.line)
            add(Slot(fingerprint: rule.fingerprint.own, line: line, decides: decides))
            if rule.hasExcept { return }
            _ = rule.allPairs { pair in
                add(Slot(fingerprint: pair.own, line: line, decides: decides))
                return true
            }
        }

        @inline(never)
        private mutating func add(_ slot: Slot) {
            if count == slots.count / 2 && !grow() { return }
            guard let place = place(of: slot.fingerprint), slots[place].line == 0 else { return }
            slots[place] = slot
            count += 1
        }

        /// Makes room for twice as many, and returns whether there is.
        @inline(never)
        private mutating func grow() -> Bool {
            if failure != nil { return false }
            var old: ZeroedArray<Slot>
            do throws(SystemError) {
                old = try Self.memory(slots.count * 2)
            } catch {
                failure = error
                return false
            }
            swap(&old, &slots)
            count = 0
            for index in 0..<old.count where old[index].line != 0 {
                guard let place = place(of: old[index].fingerprint) else { continue }
                slots[place] = old[index]
                count += 1
            }
            return true
        }

        /// Where a fingerprint is, or would be; `nil`: what is near its place is taken.
        private func place(of fingerprint: UInt64) -> Int? {
            let start = Int(truncatingIfNeeded: fingerprint ^ fingerprint >> 32)
            for tries in 0..<Self.triesLimit {
                let index = (start &+ tries) & (slots.count - 1)  // the capacity is a power of two
                if slots[index].line == 0 || slots[index].fingerprint == fingerprint { return index }
            }
            return nil
        }
    }
#endif
