import ScanCore
import System
import Testing

@testable import Capture

private let second: Int64 = 1_000_000_000
private let slack = second / 10

/// A machine with two clocks, started at 1,000 s on one and at a day of 2023 on the other.
private struct Clocks {
    var monotonic = 1_000 * second
    var offset: Int64 = 1_700_000_000 * second
    var mapping: ClockMapping

    init() {
        mapping = ClockMapping(now: Timestamp(nanoseconds: monotonic), realTime: monotonic + offset, slack: slack)
    }

    /// The kernel's time stamp of a packet that comes now.
    var stamp: Int64 { monotonic + offset }

    mutating func pass(_ time: Int64) { monotonic += time }

    mutating func set(by change: Int64) { offset += change }

    mutating func batch(_ stamps: [Int64], leavesNothing: Bool = true) -> [Int64] {
        mapping.beginBatch(now: Timestamp(nanoseconds: monotonic), realTime: stamp)
        let times = stamps.map { mapping.timestamp(of: $0).nanoseconds }
        if leavesNothing { mapping.endBatch() }
        return times
    }
}

struct ClockMappingTests {
    @Test func aStampIsTheTimeOfThePacketNotOfTheBatch() {
        var clocks = Clocks()
        clocks.pass(second)
        let (first, at) = (clocks.stamp, clocks.monotonic)
        clocks.pass(30_000_000)
        let second = clocks.stamp
        clocks.pass(40_000_000)
        #expect(clocks.batch([first, second]) == [at, at + 30_000_000])
    }

    @Test(arguments: [-86_400, -3_600, -1, 1, 3_600, 86_400] as [Int64])
    func settingTheClockBetweenPacketsChangesNothing(seconds: Int64) {
        var clocks = Clocks()
        clocks.pass(second)
        _ = clocks.batch([clocks.stamp])
        clocks.pass(second)
        let (before, beforeAt) = (clocks.stamp, clocks.monotonic)
        clocks.pass(10_000_000)
        clocks.set(by: seconds * second)
        clocks.pass(10_000_000)
        let (after, afterAt) = (clocks.stamp, clocks.monotonic)
        clocks.pass(10_000_000)
        #expect(clocks.batch([before, after]) == [beforeAt, afterAt])
        clocks.pass(second)
        let at = clocks.monotonic
        #expect(clocks.batch([clocks.stamp]) == [at])
    }

    @Test func noTimeIsEverInTheFuture() {
        var clocks = Clocks()
        clocks.pass(second)
        #expect(clocks.batch([clocks.stamp + 5 * second]) == [clocks.monotonic])
    }

    @Test func noTimeIsBeforeTheLastBatchAndWhatItMayHaveLeft() {
        var clocks = Clocks()
        clocks.pass(10 * second)
        _ = clocks.batch([clocks.stamp])
        let last = clocks.monotonic
        clocks.pass(second)
        #expect(clocks.batch([0]) == [last])
        clocks.pass(10 * second)
        _ = clocks.batch([])
        let empty = clocks.monotonic
        clocks.pass(second)
        #expect(clocks.batch([0]) == [empty - slack])
    }

    @Test func noTimeIsBeforeTheStart() {
        var clocks = Clocks()
        let start = clocks.monotonic
        clocks.pass(second)
        #expect(clocks.batch([clocks.stamp - 5 * second], leavesNothing: false) == [start])
    }

    @Test(arguments: [21, 22, 23] as [UInt64]) func timeNeverGoesBackNorAhead(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var clocks = Clocks()
        var last: Int64 = 0
        for _ in 0..<2_000 {
            clocks.pass(.random(in: 0...second, using: &numbers))
            if Bool.random(using: &numbers) {
                clocks.set(by: .random(in: -second * 9_999...second * 9_999, using: &numbers))
            }
            let limit: Int64 = 4_294_967_295 * second  // what the kernel's 32 bits can say
            let stamps = (0..<4).map { _ in
                Bool.random(using: &numbers)
                    ? clocks.stamp - .random(in: 0...second, using: &numbers)
                    : Int64.random(in: 0...limit, using: &numbers)
            }
            for time in clocks.batch(stamps, leavesNothing: Bool.random(using: &numbers)) {
                #expect(time >= last && time <= clocks.monotonic, "seed \(seed)")
                last = time
            }
        }
    }
}
