import Testing

@testable import ScanCore

/// The hash of addresses.
struct HashKeyTests {
    @Test func theHashIsTheUpperHalfOfTheMixedSum() {
        // 2 + 3 * 1 + 5 * 2 + 7 * 3 + 11 * 4 = 80, worked out by hand; its mixture is another program's.
        let key = HashKey([2, 3, 5, 7, 11])
        #expect(key.hash(Address(ipv6High: 0x1_0000_0002, low: 0x3_0000_0004)) == 0x0858_2a40)
        #expect(HashKey([0, 0, 0, 0, 0]).hash(Address(ipv6High: .max, low: .max)) == 0)
    }

    @Test func theSumWrapsWithoutATrap() {
        let key = HashKey([.max, .max, .max, .max, .max])
        // -(1 + 4 * (2^32 - 1)) modulo 2^64, mixed.
        #expect(key.hash(Address(ipv6High: .max, low: .max)) == 0xbf6b_419f)
    }

    @Test func anAddressCanBeChosenByItsHash() {
        var random = SplitMix(seed: 2)
        for hash in [0, 1, .max] + (0..<100).map({ _ in UInt32.random(in: 0...(.max), using: &random) }) {
            #expect(HashKey.ofChosenHashes.hash(Address(hash: hash)) == hash)
        }
    }

    /// The most of 1,500 sources at equal distances in one of the daemon's buckets.
    private func fullestBucket(_ key: HashKey, _ source: (UInt32) -> Address) -> Int {
        var buckets = [Int](repeating: 0, count: Parameters.Detector.bucketCount)
        var most = 0
        for number in 0..<UInt32(1500) {
            let bucket = Int(key.hash(source(number))) & (buckets.count - 1)
            buckets[bucket] += 1
            most = max(most, buckets[bucket])
        }
        return most
    }

    @Test func neighboursFillNoBucketUnderAKeyThatMadeThem() {
        // Under this key and without the finaliser, 1,000 scanners, each with an address 257 above the last one's, were
        // in too few buckets: each was counted ten times, or never.
        let key = HashKey([0xecc7_12db_4759_3d5e, 1, 2, 3, 0x90ea_8cb1_4699_2a0d])
        #expect(fullestBucket(key) { Address(ipv4: 0x1400_0000 + $0 * 257) } <= Parameters.collisionCap)
    }

    @Test(arguments: [1, 2, 256, 257, 65_536] as [UInt32])
    func sourcesAtEqualDistancesFillNoBucket(distance: UInt32) {
        // 1,500 in 4,096 buckets: 9 in one are to be expected once in a million keys.
        var random = SplitMix(seed: UInt64(distance))
        for number in 0..<2000 {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            let first = UInt32.random(in: 0x0100_0000...0xe000_0000, using: &random)
            let most = fullestBucket(key) { Address(ipv4: first &+ $0 &* distance) }
            #expect(most <= Parameters.collisionCap, "\(most) in a bucket under key \(number)")
        }
    }

    @Test func interfaceIdsThatCountUpFillNoBucket() {
        var random = SplitMix(seed: 64)
        for number in 0..<2000 {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            let (high, low) = (random.next(), random.next())
            let most = fullestBucket(key) { Address(ipv6High: high, low: low &+ UInt64($0)) }
            #expect(most <= Parameters.collisionCap, "\(most) in a bucket under key \(number)")
        }
    }

    @Test func neighboursAreSpreadOverTheLinesOfFirstTouchesAndTheirFingerprintsDiffer() {
        // 65,536 of them: 8 to a line on average, and Poisson's distribution puts more than 30 into one of 8,192 lines
        // once in a million times.
        var random = SplitMix(seed: 16)
        let lines = Parameters.Detector.firstTouchLines
        for distance in [1, 2, 256, 257, 65_536] as [UInt32] {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            var perLine = [Int](repeating: 0, count: lines)
            var perFingerprint = [Int](repeating: 0, count: 4096)
            for number in 0..<UInt32(65_536) {
                let hash = key.hash(Address(ipv4: 0x0100_0000 &+ number &* distance))
                perLine[Int(hash) & (lines - 1)] += 1
                perFingerprint[Int(hash >> 20)] += 1
            }
            #expect(perLine.allSatisfy { $0 <= 30 })
            #expect(perFingerprint.allSatisfy { (1...50).contains($0) })
        }
    }

    @Test func aSourceIsFoundUnderAnyKey() {
        var random = SplitMix(seed: Seed.value ^ 3)
        for _ in 0..<20 {
            var table = SourceTable<64, 32>(
                key: HashKey([random.next(), random.next(), random.next(), random.next(), random.next()]))
            for host in UInt32(1)...64 {
                let segment = segment(from: Address(ipv4: host))
                let place = table.find(segment.source)
                table.insert(SourceEntry(first: segment, at: Timestamp(nanoseconds: 0), realTime: 0), place)
                #expect(table.find(segment.source).index != nil)
            }
            let fault = table.fault
            #expect(fault == nil)
        }
    }

    @Test func noTwoNeighboursHaveTheSameTag() {
        var random = SplitMix(seed: Seed.value)
        for _ in 0..<50 {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            let network = UInt32(truncatingIfNeeded: random.next()) & ~0x7fff
            let tags = Set((0..<0x8000 as Range<UInt32>).map { key.hash(host: Address(ipv4: network | $0)) & 0x7fff })
            #expect(tags.count == 0x8000, "SCANLOGD_TEST_SEED=\(Seed.value)")
        }
    }

    @Test func addressesThatDifferInOneBitRarelyShareABucket() {
        // With the seed fixed the count is, too: 128 bits and 1000 keys, of which one in 512 should collide.
        var random = SplitMix(seed: 1)
        var shared = 0
        for _ in 0..<1000 {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            let (high, low) = (random.next(), random.next())
            let bucket = key.hash(Address(ipv6High: high, low: low)) & 511
            for bit in 0..<64 {
                if key.hash(Address(ipv6High: high ^ 1 << bit, low: low)) & 511 == bucket { shared += 1 }
                if key.hash(Address(ipv6High: high, low: low ^ 1 << bit)) & 511 == bucket { shared += 1 }
            }
        }
        #expect((190...310).contains(shared), "250 of 128,000 are to be expected")
    }
}
