#if Rules
    import Capture
    import CLinux

    /// The rules of a file by their fingerprints, so that one that comes twice is found at once: a hash table with open
    /// addresses, half full at most.
    ///
    /// Safe: the memory is private, of the slots' size, zero at first, and given back with the value.
    @safe struct RepeatedRules: ~Copyable {
        private struct Slot {
            var fingerprint: UInt64
            /// 0: the slot is free.
            var line: Int
        }

        private let slots: UnsafeMutablePointer<Slot>
        private let mask: Int

        /// A table for so many rules.
        init(room: Int) throws(SystemError) {
            var capacity = 16
            while capacity < room * 2 { capacity *= 2 }
            guard let memory = unsafe clinux_map_zero(capacity * MemoryLayout<Slot>.stride) else {
                throw SystemError("memory for the rules", "map")
            }
            unsafe slots = memory.bindMemory(to: Slot.self, capacity: capacity)
            mask = capacity - 1
        }

        deinit {
            unsafe munmap(slots, (mask + 1) * MemoryLayout<Slot>.stride)
        }

        /// The line of the rule with a fingerprint.
        func line(of fingerprint: UInt64) -> Int? {
            let line = unsafe slots[place(of: fingerprint)].line
            return line == 0 ? nil : line
        }

        /// Adds a rule.
        func add(_ fingerprint: UInt64, line: Int) {
            unsafe slots[place(of: fingerprint)] = Slot(fingerprint: fingerprint, line: line)
        }

        private func place(of fingerprint: UInt64) -> Int {
            var index = Int(truncatingIfNeeded: fingerprint ^ fingerprint >> 32) & mask
            while unsafe (slots[index].line != 0 && slots[index].fingerprint != fingerprint) {
                index = (index + 1) & mask
            }
            return index
        }
    }
#endif
