/// The secret that decides which bucket an address falls in.
///
/// Multilinear hashing modulo 2^64 (Carter and Wegman 1979; Dietzfelbinger 1996) of four 32-bit words: two addresses
/// chosen without the secret share the upper half of the sum with a probability of 2^-32. The reference's XOR can be
/// made to collide by anybody.
public struct HashKey: Sendable {
    private let words: InlineArray<5, UInt64>

    /// The key of five words that nobody else knows, from the system's random number generator.
    public init(_ words: InlineArray<5, UInt64>) {
        self.words = words
    }

    /// The hash of an address, of which all 32 bits are good.
    func hash(_ address: Address) -> UInt32 {
        // Wrapping is meant throughout: the sum is one modulo 2^64.
        var sum = words[0] &+ words[1] &* (address.high >> 32)
        sum = sum &+ words[2] &* (address.high & 0xffff_ffff)
        sum = sum &+ words[3] &* (address.low >> 32)
        sum = sum &+ words[4] &* (address.low & 0xffff_ffff)
        return UInt32(truncatingIfNeeded: sum >> 32)
    }
}
