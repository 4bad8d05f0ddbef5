import ScanCore
import System

/// The format of reports, one a line: in the log, and in a replay. Chosen once, at the start.
enum ReportFormat {
    /// The wording of scanlogd 2.2.8.
    case classic

    /// The line of a report.
    func line(of report: ScanReport) -> LogLine {
        switch self {
        case .classic: LogLine(report, time: TimeOfDay(local: report.startTime))
        }
    }

    /// The line of the end of a scan.
    func line(of end: ScanEnd) -> LogLine {
        switch self {
        case .classic: LogLine(end, time: TimeOfDay(local: end.startTime))
        }
    }

    /// The line of a message about suppressed reports.
    func line(ofSuppression text: LogLine) -> LogLine {
        switch self {
        case .classic: text
        }
    }
}
