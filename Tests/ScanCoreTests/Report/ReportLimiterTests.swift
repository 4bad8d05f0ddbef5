import Testing

@testable import ScanCore

/// Five reports, one line that says more may follow, then silence.
struct ReportLimiterTests {
    /// What becomes of reports at these times.
    private func verdicts(_ times: [Int64]) -> [ReportLimiter.Verdict] {
        var limiter = ReportLimiter()
        return times.map { limiter.admit(at: Timestamp(nanoseconds: $0)) }
    }

    /// Six reports at time 0: five logged, and the notice.
    private let six = [Int64](repeating: 0, count: 6)

    /// What becomes of the last of these reports.
    private func last(_ times: [Int64]) -> ReportLimiter.Verdict? { verdicts(times).last }

    @Test func theNoticeReadsAsTheReferences() {
        #expect(ReportLimiter.notice == "More possible port scans follow")
    }

    @Test func fiveReportsAreLogged() {
        #expect(verdicts([0, 1, 2, 3, 4]) == [.log, .log, .log, .log, .log])
    }

    @Test func theSixthIsTheNoticeAndTheRestIsSilence() {
        let expected: [ReportLimiter.Verdict] = [.log, .log, .log, .log, .log, .notice, .suppress, .suppress]
        #expect(verdicts([0, 1, 2, 3, 4, 5, 6, 7]) == expected)
    }

    @Test func theSilenceLastsExactly20SecondsAfterTheSixth() {
        #expect(last(six + [.seconds(20)]) == .suppress)
        #expect(last(six + [.seconds(20) + 1]) == .log)
    }

    @Test func theSixthCountsForThe20Seconds() {
        let times: [Int64] = [0, 0, 0, 0, 0, .seconds(15)]
        #expect(last(times) == .notice)
        #expect(last(times + [.seconds(20) + 1]) == .suppress)
        #expect(last(times + [.seconds(35)]) == .suppress)
        #expect(last(times + [.seconds(35) + 1]) == .log)
    }

    @Test func suppressedReportsDoNotProlongTheSilence() {
        let suppressed = (1...19).map { Int64.seconds($0) }
        #expect(verdicts(six + suppressed).dropFirst(6).allSatisfy { $0 == .suppress })
        #expect(last(six + suppressed + [.seconds(20) + 1]) == .log)
    }

    @Test func afterTheSilenceFiveAreLoggedAgain() {
        let again = [Int64](repeating: .seconds(21), count: 7)
        let expected: [ReportLimiter.Verdict] = [.log, .log, .log, .log, .log, .notice, .suppress]
        #expect(verdicts(six + again).dropFirst(6).elementsEqual(expected))
    }

    @Test func reportsUpTo20SecondsApartAddUp() {
        let times = (0..<7).map { Int64.seconds(20) * $0 }
        let expected: [ReportLimiter.Verdict] = [.log, .log, .log, .log, .log, .notice, .suppress]
        #expect(verdicts(times) == expected)
    }

    @Test func reportsFurtherApartAreAllLogged() {
        let times = (0..<50).map { (Int64.seconds(20) + 1) * $0 }
        #expect(verdicts(times).allSatisfy { $0 == .log })
    }

    @Test func aTimeInThePastEndsTheSilence() {
        #expect(last(six + [-1]) == .log)
        #expect(verdicts(six + [-1, -1, -1, -1, -1, -1, -1]).suffix(3) == [.log, .notice, .suppress])
    }

    @Test func theFirstReportIsLoggedWhateverTheTime() {
        for time in [Int64.min, -1, 0, 1, .max] { #expect(verdicts([time]) == [.log]) }
        #expect(last(six.map { _ in Int64.min } + [.max]) == .log)
    }
}
