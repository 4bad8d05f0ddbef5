import Testing

@testable import ScanCore

/// What hides a slow scan, as DETECTION.md says, on both sides of the bound.
struct SlowMemoryTests {
    private static let second: Int64 = 1_000_000_000

    /// Seven closed ports, with a flood of sources that send one probe each between the first two.
    private func isFound(behind sources: UInt32, over seconds: Int64) -> (found: Bool, reach: Int64) {
        let watch = FullWatch()
        watch.detect(KindSettings(.all))
        var time = 10_000 * Self.second
        var found = false
        let scanner = Address(ipv4: 0x0a4d_0001)
        for port in UInt16(1)...7 {
            let report = watch.observe(segment(to: port, from: scanner), at: time)
            found = found || report?.kind == .slow && report?.source == scanner
            if port > 1 {
                time += 4 * Self.second
                continue
            }
            for number in 0..<sources {
                time += seconds * Self.second / Int64(sources)
                let forged = segment(to: 80, from: Address(ipv4: 0xc000_0000 + number))
                let report = watch.observe(forged, at: time)
                #expect(report == nil)
            }
        }
        return (found, watch.memoryReach(at: time))
    }

    @Test func asManySourcesAsTheLogHasPlacesForHideNothing() {
        let (found, reach) = isFound(behind: 60_000, over: 600)
        #expect(found)
        #expect(reach == 1800)
    }

    @Test func moreSourcesThanTheLogHasPlacesForHideTheFirstPair() {
        let (found, reach) = isFound(behind: 66_000, over: 600)
        #expect(!found)
        #expect((595...630).contains(reach), "\(reach)")
    }

    @Test func aPauseOfHalfAnHourIsBridgedAndALongerOneIsNot() {
        #expect(isFound(behind: 10, over: 1799).found)
        #expect(!isFound(behind: 10, over: 1801).found)
    }
}
