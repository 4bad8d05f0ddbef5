/// The tags of a set of eight in a ``CandidateTable``: searched together, as two words of four.
struct CandidateTags: Equatable, Sendable {
    /// A tag has the low 15 bits of 16, or is 0.
    private var words: (UInt64, UInt64) = (0, 0)

    private static var lowest: UInt64 { 0x0001_0001_0001_0001 }
    private static var highest: UInt64 { 0x8000_8000_8000_8000 }

    static func == (one: CandidateTags, other: CandidateTags) -> Bool { one.words == other.words }

    /// The tag of a place, 0 to 7.
    subscript(way: Int) -> UInt16 {
        get { UInt16(truncatingIfNeeded: (way < 4 ? words.0 : words.1) >> Self.shift(way)) }
        set {
            let change = UInt64(self[way] ^ newValue) << Self.shift(way)
            if way < 4 { words.0 ^= change } else { words.1 ^= change }
        }
    }

    private static func shift(_ way: Int) -> UInt64 { UInt64(way & 3) << 4 }

    /// Whether a place has a tag.
    @inline(__always)
    func contains(_ tag: UInt16) -> Bool {
        let found = matches(tag)
        return found.0 | found.1 != 0
    }

    /// The places that have a tag, a bit for each: the lowest is the first.
    func ways(with tag: UInt16) -> UInt32 {
        let found = matches(tag)
        return Self.gathered(found.0) | Self.gathered(found.1) << 4
    }

    /// The top bit of each 16 that is a tag.
    @inline(__always)
    private func matches(_ tag: UInt16) -> (UInt64, UInt64) {
        let tags = UInt64(tag) &* Self.lowest
        let others = Self.highest &- Self.lowest  // adding that, only a difference of 0 does not reach the top bit
        return (~((words.0 ^ tags) &+ others) & Self.highest, ~((words.1 ^ tags) &+ others) & Self.highest)
    }

    /// The top bits of the four as the lowest four bits.
    private static func gathered(_ found: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: ((found >> 15) &* 0x0001_0002_0004_0008) >> 48)
    }
}
