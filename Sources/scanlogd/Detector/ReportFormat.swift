import ScanCore
import System

/// How reports are written, one a line: in the log, and by a replay. Chosen once, at the start.
enum ReportFormat {
    /// As scanlogd 2.2.8 words them.
    case classic

    /// The line of a report.
    func line(of report: ScanReport) -> LogLine {
        switch self {
        case .classic: LogLine(report, time: TimeOfDay(local: report.startTime))
        }
    }

    /// The line of what is said about reports that are left out.
    func line(ofSuppression text: LogLine) -> LogLine {
        switch self {
        case .classic: text
        }
    }
}
