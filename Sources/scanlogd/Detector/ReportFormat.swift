import ScanCore
import System

/// The format of what a replay prints, one report a line. Chosen once, at the start.
enum ReportFormat {
    /// The wording of scanlogd 2.2.8.
    case classic
    /// An object of JSON a line.
    case json
}

extension LogLine {
    /// The classic line of a report.
    init(local report: ScanReport) {
        self.init(report, time: TimeOfDay(local: report.startTime))
    }

    /// The classic line of the end of a scan.
    init(local end: ScanEnd) {
        self.init(end, time: TimeOfDay(local: end.startTime))
    }
}
