import Testing

@testable import ScanCore

/// The hash of addresses.
struct HashKeyTests {
    @Test func theHashIsTheUpperHalfOfTheSum() {
        // Worked out by hand: 2 + 3 * 1 + 5 * 2 + 7 * 3 + 11 * 4 = 80 in units of 2^32, modulo 2^32.
        let unit = UInt64(1) << 32
        let key = HashKey([2 * unit, 3 * unit, 5 * unit, 7 * unit, 11 * unit])
        #expect(key.hash(Address(ipv6High: 0x1_0000_0002, low: 0x3_0000_0004)) == 80)
        #expect(key.hash(Address(ipv4: 0)) == 2)
    }

    @Test func theSumWrapsWithoutATrap() {
        let key = HashKey([.max, .max, .max, .max, .max])
        // -(1 + 4 * (2^32 - 1)) modulo 2^64.
        #expect(key.hash(Address(ipv6High: .max, low: .max)) == 0xffff_fffc)
    }

    @Test func aSourceIsFoundUnderAnyKey() {
        var random = SplitMix(seed: Seed.value ^ 3)
        for _ in 0..<20 {
            var table = SourceTable<64, 32>(
                key: HashKey([random.next(), random.next(), random.next(), random.next(), random.next()]))
            for host in UInt32(1)...64 {
                let segment = segment(from: Address(ipv4: host))
                let place = table.find(segment.source)
                table.insert(SourceEntry(first: segment, at: Timestamp(nanoseconds: 0), wallClock: 0), place)
                #expect(table.find(segment.source).index != nil)
            }
            let fault = table.fault
            #expect(fault == nil)
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
