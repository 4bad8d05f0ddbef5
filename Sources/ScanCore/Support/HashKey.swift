/// The secret key of the hash that selects the bucket of an address.
///
/// Multilinear hashing modulo 2^64 (Carter and Wegman 1979; Dietzfelbinger 1996) of four 32-bit words, followed by a
/// fixed permutation of the sum, in which every input bit affects every output bit (the finaliser of MurmurHash3,
/// Appleby 2011). Each makes up for a weakness of the other:
///
/// - The sum is secret. The sums of two addresses chosen without the key differ by a value that is as good as random:
///   it is 0 with a probability of at most 2^-32, whatever the difference of the addresses. The permutation alone is
///   publicly known.
/// - The sums of addresses at equal distances are at equal distances, too. Without the permutation one key in some
///   hundred maps thousands of them to a few buckets, be they an attacker's or 1,000 neighbours.
///
/// A pseudorandom function such as SipHash would also resist an attacker who can observe hashes. Nothing exposes them:
/// which sources share a bucket can't be seen from outside.
public struct HashKey: Sendable {
    private let words: InlineArray<5, UInt64>

    /// Creates a key from five secret words of the system's random number generator.
    public init(_ words: InlineArray<5, UInt64>) {
        self.words = words
    }

    /// The hash of an address. All 32 bits are usable, together and each by itself.
    @inline(__always)  // the first step for each packet, and short
    package func hash(_ address: Address) -> UInt32 {
        // Wrapping is intended throughout: the sum is modulo 2^64.
        var sum = words[0] &+ words[1] &* (address.high >> 32)
        sum = sum &+ words[2] &* (address.high & 0xffff_ffff)
        sum = sum &+ words[3] &* (address.low >> 32)
        sum = sum &+ words[4] &* (address.low & 0xffff_ffff)
        return HashKey.permute(sum)
    }

    /// The hash of an address and a number.
    func hash(_ address: Address, salt: UInt32) -> UInt32 { HashKey.mix(hash(address), salt: salt) }

    /// The hash by which a host that was tried is known. Its low 15 bits are its ``tag(of:)``.
    func hash(host: Address) -> UInt32 { hash(host) & ~0x7fff | UInt32(tag(of: host)) }

    /// The 15 bits that a pair keeps of a host. They differ for hosts whose addresses differ in their low 15 bits only: no
    /// two of the neighbours that a sweep tries are taken for one.
    func tag(of host: Address) -> UInt16 {
        let network = Address(high: host.high, low: host.low & ~0x7fff, isIPv4: host.isIPv4)
        return UInt16(truncatingIfNeeded: hash(network) ^ UInt32(truncatingIfNeeded: host.low)) & 0x7fff
    }

    /// A hash of a hash and a number: as secret as that hash.
    static func mix(_ hash: UInt32, salt: UInt32) -> UInt32 { permute(UInt64(hash) << 32 | UInt64(salt)) }

    /// The upper half of MurmurHash3's finaliser for 64 bits, whose last step changes the lower half only.
    static func permute(_ sum: UInt64) -> UInt32 {
        var mixed = (sum ^ sum >> 33) &* 0xff51_afd7_ed55_8ccd
        mixed = (mixed ^ mixed >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }
}
