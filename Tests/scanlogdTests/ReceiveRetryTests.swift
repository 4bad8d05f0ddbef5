import ScanCore
import Testing

@testable import scanlogd

/// A receive that fails and fails is logged at once, and then once an hour.
struct ReceiveRetryTests {
    private func second(_ number: Int64) -> Timestamp { Timestamp(nanoseconds: number * 1_000_000_000) }

    @Test func theFirstFailureIsLoggedAndThenOneAnHour() {
        var retry = ReceiveRetry()
        #expect(!retry.isFailing)
        let isLogged = [10, 11, 3609, 3610, 3611].map { retry.recordFailure(at: second($0)) }
        #expect(isLogged == [true, false, false, true, false])
        #expect(retry.isFailing)
    }

    @Test func thatItWorksAgainIsLoggedOnce() {
        var retry = ReceiveRetry()
        let atFirst = retry.recordSuccess()
        _ = retry.recordFailure(at: second(1))
        let isLogged = [retry.recordSuccess(), retry.recordSuccess()]
        #expect(!atFirst && isLogged == [true, false])
        #expect(!retry.isFailing)
    }

    @Test func aNewFailureIsLoggedThoughTheLastIsNotAnHourAgo() {
        var retry = ReceiveRetry()
        _ = retry.recordFailure(at: second(1))
        _ = retry.recordSuccess()
        let isLogged = retry.recordFailure(at: second(2))
        #expect(isLogged)
    }
}
