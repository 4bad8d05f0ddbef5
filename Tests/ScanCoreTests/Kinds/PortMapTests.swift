import Testing

@testable import ScanCore

struct PortMapTests {
    /// All ports of a set.
    private func ports(_ map: PortMap) -> [UInt16] {
        var map = map
        return (0...UInt16.max).filter { map.contains($0) }
    }

    @Test func anEmptySetContainsNoPort() {
        #expect(ports(PortMap()) == [])
    }

    @Test func aSetContainsThePortsThatWereInserted() {
        let inserted: [UInt16] = [0, 1, 62, 63, 64, 65, 1023, 1024, 32_767, 32_768, 65_471, 65_472, 65_534, 65_535]
        var map = PortMap()
        for port in inserted.reversed() + inserted { map.insert(port) }
        #expect(ports(map) == inserted)
    }

    @Test func everyPortHasABitOfItsOwn() {
        var map = PortMap()
        for port in 0...UInt16.max {
            let isKnown = map.contains(port)
            #expect(!isKnown)
            map.insert(port)
        }
        #expect(ports(map).count == 65_536)
    }

    @Test func nothingIsLeftOfARemovedSet() {
        var map = PortMap()
        for port in 0...UInt16.max { map.insert(port) }
        map.removeAll()
        #expect(ports(map) == [])
    }

    @Test func aSetTakesEightKibibytesAndIsEmptyWhenAllZero() {
        #expect(MemoryLayout<PortMap>.size == 8192)
        let map = PortMap()
        let isZero = unsafe withUnsafeBytes(of: map) { unsafe $0.allSatisfy { $0 == 0 } }
        #expect(isZero)
    }
}
