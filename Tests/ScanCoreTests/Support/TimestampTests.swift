import Testing

@testable import ScanCore

struct TimestampTests {
    private func within(_ limit: Int64, from earlier: Int64, to later: Int64) -> Bool {
        Timestamp(nanoseconds: later).isWithin(limit, after: Timestamp(nanoseconds: earlier))
    }

    @Test(arguments: [Int64(0), -5, 1_795_252_625_000_000_000, .min, .max - 100])
    func theLimitItselfIsWithin(earlier: Int64) {
        #expect(within(100, from: earlier, to: earlier + 99))
        #expect(within(100, from: earlier, to: earlier + 100))
        #expect(earlier == .max - 100 || !within(100, from: earlier, to: earlier + 101))
    }

    @Test func theSameTimeIsWithin() {
        #expect(within(0, from: 7, to: 7))
        #expect(!within(0, from: 7, to: 8))
    }

    @Test func theFutureIsNotWithin() {
        #expect(!within(100, from: 7, to: 6))
        #expect(!within(.max, from: 7, to: 6))
    }

    @Test func timesAsFarApartAsCanBeAreNotWithin() {
        #expect(!within(.max, from: .min, to: .max))
        #expect(!within(.max, from: -1, to: .max))
        #expect(within(.max, from: 0, to: .max))
        #expect(!within(.max, from: .max, to: .min))
    }

    @Test func theEarlierPointIsTheSmallerOne() {
        #expect(Timestamp(nanoseconds: -1) < Timestamp(nanoseconds: 0))
        #expect(!(Timestamp(nanoseconds: 0) < Timestamp(nanoseconds: 0)))
        #expect(Timestamp(nanoseconds: 5) == Timestamp(nanoseconds: 5))
        #expect(Timestamp(nanoseconds: .max) > Timestamp(nanoseconds: .min))
    }
}
