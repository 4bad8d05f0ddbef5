import Capture
import ScanCore
import System
import Testing

@testable import scanlogd

/// Packets that the kernel dropped are reported while packets come, and at most once a minute.
struct DropReporterTests {
    private func second(_ number: Int64) -> Timestamp { Timestamp(nanoseconds: number * 1_000_000_000) }

    private func reporter(_ prefix: CString = "", delay: Int64 = 1) -> DropReporter {
        DropReporter(DropCounter(), prefix: prefix, delay: delay * 1_000_000_000)
    }

    @Test func onlyWhatIsNewIsReported() {
        var reporter = reporter("connections: ")
        let words = " packets dropped by the kernel: more came than could be received"
        let none = reporter.message(about: 0, at: second(1))?.text
        #expect(none == nil)
        let first = reporter.message(about: 7, at: second(2))?.text
        #expect(first == "connections: 7" + words)
        let again = reporter.message(about: 7, at: second(3))?.text
        #expect(again == nil)
        let more = reporter.message(about: 10, at: second(4))?.text
        #expect(more == "connections: 3" + words)
    }

    @Test func theKernelIsAskedOnceForAllThatComeWithinTheDelay() throws {
        var reporter = reporter()
        #expect(reporter.due == nil)
        #expect(reporter.isDue(at: second(1_000)) == false)
        reporter.expect(at: second(10))
        reporter.expect(at: second(11))
        #expect(reporter.due == second(11))
        #expect(reporter.isDue(at: second(10)) == false)
        #expect(reporter.isDue(at: second(11)) == true)
        let atDue = try reporter.message(at: second(11))?.text
        #expect(atDue == nil)
        #expect(reporter.due == nil, "no packet has come since")
    }

    @Test func afterAReportTheNextIsAMinuteLater() {
        var reporter = reporter()
        _ = reporter.message(about: 1, at: second(100))
        reporter.expect(at: second(101))
        #expect(reporter.due == second(160))
    }

    @Test func whereNothingWasReportedTheKernelIsAskedAfterTheDelayAgain() throws {
        var reporter = reporter()
        reporter.expect(at: second(10))
        _ = try reporter.message(at: second(11))
        reporter.expect(at: second(12))
        #expect(reporter.due == second(13))
    }
}
