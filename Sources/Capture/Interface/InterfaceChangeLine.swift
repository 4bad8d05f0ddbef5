import ScanCore
import System

/// Formats changes of interfaces as lines for the log, at a limited rate.
struct InterfaceChangeLine {
    private static let minute: Int64 = 60_000_000_000

    private var begin: Timestamp?
    private var count: UInt32 = 0

    /// The line for a change, or a line that more changes follow, or `nil`.
    mutating func line(_ difference: InterfaceTable.Difference, at now: Timestamp) -> LogLine? {
        if !isWithinMinute(now) {
            begin = now
            count = 0
        }
        if count > Parameters.interfaceLines { return nil }
        count += 1
        if count > Parameters.interfaceLines { return LogLine("more interfaces changed; no line for each") }
        var line = LogLine()
        difference.name.append(to: &line)
        if let other = difference.otherName {
            line.append(" (")
            line.append(other)
            line.append(")")
        }
        switch difference.change {
        case .up: line.append(": interface is up")
        case .down: line.append(": interface is down")
        case .gone: line.append(": interface is gone")
        case .new: line.append(": new interface")
        }
        return line
    }

    private func isWithinMinute(_ now: Timestamp) -> Bool {
        guard let begin else { return false }
        return now.isWithin(InterfaceChangeLine.minute, after: begin)
    }
}
