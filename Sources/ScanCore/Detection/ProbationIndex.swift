/// One cache line of an index: 16 slots, the youngest first, searched together. (It is aligned to a cache line if the
/// table as a whole is: the index is its first member.)
///
/// A slot holds the low 20 bits of a record's number above a 12-bit fingerprint. Numbers grow and wrap around to 0: the
/// age of a record can be computed as long as it is among the last million.
struct ProbationIndex: Sendable {
    private typealias Slots = SIMD16<UInt32>

    private var slots = Slots(repeating: 0)

    /// The mask of a fingerprint.
    static var fingerprintMask: UInt32 { 0xfff }

    /// The contents of a slot, 0 to 15.
    subscript(number: Int) -> UInt32 { slots[number] }

    /// The contents of the slot of a record.
    @inline(__always)
    static func slot(number: UInt32, fingerprint: UInt32) -> UInt32 { number << 12 | fingerprint }

    /// The number of records begun after the one in a slot.
    @inline(__always)
    static func age(of slot: UInt32, newest: UInt32) -> Int {
        Int(((newest << 12 | fingerprintMask) &- slot) >> 12)  // wraps as the numbers do
    }

    /// The slots that have a fingerprint, a bit for each: the lowest is that of the youngest.
    @inline(__always)
    func slots(with fingerprint: UInt32) -> UInt32 {
        // Less 1, only a difference of 0 has its top bit set. By halves, as `any` and `min` of SIMD types need a heap.
        let differences = ((slots ^ Slots(repeating: fingerprint)) & Self.fingerprintMask) &- 1
        let found = (0 &- differences &>> 31) & Self.bits
        let of8 = found.lowHalf | found.highHalf
        let of4 = of8.lowHalf | of8.highHalf
        let of2 = of4.lowHalf | of4.highHalf
        return of2.x | of2.y
    }

    /// Inserts a slot before the others; the oldest one is dropped.
    @inline(__always)
    mutating func insert(_ slot: UInt32) {
        slots = Slots(
            slot, slots[0], slots[1], slots[2], slots[3], slots[4], slots[5], slots[6], slots[7], slots[8], slots[9],
            slots[10], slots[11], slots[12], slots[13], slots[14])
    }

    /// Removes a slot, 0 to 15: those after it move up, and the given one becomes the last, the first to be dropped.
    @inline(__always)
    mutating func remove(_ number: Int, last slot: UInt32) {
        let moved = Slots(
            slots[1], slots[2], slots[3], slots[4], slots[5], slots[6], slots[7], slots[8], slots[9], slots[10],
            slots[11], slots[12], slots[13], slots[14], slots[15], slot)
        // All bits set in the slots that do not move.
        let before = 0 &- ((Self.numbers &- UInt32(truncatingIfNeeded: number)) &>> 31)
        slots = slots & before | moved & ~before
    }

    private static var numbers: Slots { Slots(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) }

    /// The bit of each slot.
    private static var bits: Slots {
        Slots(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768)
    }
}
