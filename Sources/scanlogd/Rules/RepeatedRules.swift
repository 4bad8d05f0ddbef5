#if Rules
    import Capture
    import CLinux
    import HostRules

    /// The rules of a file by fingerprints, their own and those of the pairs of a daemon and a client that they name, so
    /// that what comes twice is found at once: a hash table with open addresses, half full at most.
    ///
    /// Nothing takes more than a fixed number of steps, whatever the fingerprints are: what does not find its place near
    /// by is left out.
    ///
    /// Safe: the memory is private, of the slots' size, zero at first, and given back with the value.
    @safe struct RepeatedRules: ~Copyable {
        private struct Slot {
            var fingerprint: UInt64
            /// 0: the slot is free.
            var line: UInt32
            /// Whether the rule leaves nothing that it matches to the next file.
            var decides: Bool
        }

        private var slots: UnsafeMutablePointer<Slot>
        private var capacity: Int
        private var count = 0
        /// What kept rules from being added.
        private(set) var failure: SystemError?

        private static var triesLimit: Int { 64 }

        /// An empty table.
        init() throws(SystemError) {
            capacity = 1024
            unsafe slots = try Self.memory(capacity)
        }

        deinit {
            unsafe munmap(slots, capacity * MemoryLayout<Slot>.stride)
        }

        private static func memory(_ capacity: Int) throws(SystemError) -> UnsafeMutablePointer<Slot> {
            guard let memory = unsafe clinux_map_zero(capacity * MemoryLayout<Slot>.stride) else {
                throw SystemError("memory for the rules", "map")
            }
            return unsafe memory.bindMemory(to: Slot.self, capacity: capacity)
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
            let slot = unsafe slots[place]
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
            if count == capacity / 2 && !grow() { return }
            guard let place = place(of: slot.fingerprint), unsafe slots[place].line == 0 else { return }
            unsafe slots[place] = slot
            count += 1
        }

        /// Makes room for twice as many, and returns whether there is.
        @inline(never)
        private mutating func grow() -> Bool {
            if failure != nil { return false }
            let (old, oldCapacity) = unsafe (slots, capacity)
            do throws(SystemError) {
                unsafe slots = try Self.memory(oldCapacity * 2)
            } catch {
                failure = error
                return false
            }
            capacity = oldCapacity * 2
            count = 0
            for index in 0..<oldCapacity where unsafe old[index].line != 0 {
                guard let place = unsafe place(of: old[index].fingerprint) else { continue }
                unsafe slots[place] = old[index]
                count += 1
            }
            unsafe munmap(old, oldCapacity * MemoryLayout<Slot>.stride)
            return true
        }

        /// Where a fingerprint is, or would be; `nil`: what is near its place is taken.
        private func place(of fingerprint: UInt64) -> Int? {
            let start = Int(truncatingIfNeeded: fingerprint ^ fingerprint >> 32)
            for tries in 0..<Self.triesLimit {
                let index = (start &+ tries) & (capacity - 1)  // capacity is a power of two
                if unsafe slots[index].line == 0 || slots[index].fingerprint == fingerprint { return index }
            }
            return nil
        }
    }
#endif
