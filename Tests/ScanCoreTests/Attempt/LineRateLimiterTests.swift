import Testing

@testable import ScanCore

struct LineRateLimiterTests {
    private static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }

    @Test func soManyLinesASecondAreAdmitted() {
        var rate = LineRateLimiter(limit: 3)
        let admitted = [0, 1, 2, 3, 999, 1000, 1001, 1002, 1003, 2000].map { rate.admit(at: Self.time($0)) }
        #expect(admitted == [true, true, true, false, false, true, true, true, false, true])
        #expect(rate.suppressed == 3)
    }

    @Test func withoutALimitAllAre() {
        var rate = LineRateLimiter(limit: nil)
        #expect((0..<10_000).allSatisfy { _ in rate.admit(at: Self.time(0)) })
        #expect(rate.summaryDue == nil)
        #expect(rate.summary(at: Self.time(0), atExit: true) == nil)
    }

    @Test func everyTenSecondsALineSaysHowManyWereNot() {
        var rate = LineRateLimiter(limit: 1)
        for second in 0..<10 { for _ in 0..<4 { _ = rate.admit(at: Self.time(Int64(second) * 1000)) } }
        #expect(rate.summaryDue == Self.time(10_000))
        #expect(rate.summary(at: Self.time(9_999)) == nil)
        #expect(rate.summary(at: Self.time(10_000))?.text == "connections: 30 lines suppressed in 10 s")
        #expect(rate.summary(at: Self.time(20_000)) == nil)
        #expect(rate.summaryDue == nil)
        _ = rate.admit(at: Self.time(30_000))
        _ = rate.admit(at: Self.time(30_000))
        #expect(rate.summary(at: Self.time(30_000), atExit: true)?.text == "connections: 1 lines suppressed in 1 s")
        #expect(rate.suppressed == 31)
    }

    /// Clocks of files do.
    @Test func aClockThatGoesBackBeginsASecondAnew() {
        var rate = LineRateLimiter(limit: 1)
        #expect([5000, 5001, 3000, 3001].map { rate.admit(at: Self.time($0)) } == [true, false, true, false])
        #expect(rate.summary(at: Self.time(3001))?.text == "connections: 2 lines suppressed in 1 s")
    }
}
