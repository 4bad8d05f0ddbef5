import Foundation

/// What a random test begins with: SCANLOGD_TEST_SEED of the environment if it is set, else new in every run.
enum Seed {
    static let value: UInt64 = {
        let given = ProcessInfo.processInfo.environment["SCANLOGD_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("random tests: SCANLOGD_TEST_SEED=\(seed)")
        return seed
    }()
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed, on every system.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // Wrapping is meant: the generator works modulo 2^64.
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
