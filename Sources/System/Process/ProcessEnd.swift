import CLinux
import ScanCore

/// How a child process ended.
package struct ProcessEnd {
    /// The role of the process: for example `sensor`.
    private let name: CString
    private let status: Int32

    /// Creates it from a status of waitpid(2).
    package init(of name: CString, status: Int32) {
        self.name = name
        self.status = status
    }

    /// Waits for the end of a child.
    package init(of name: CString, waitingFor child: pid_t) throws(SystemError) {
        var status: Int32 = 0
        _ = try check(name, "wait for") { unsafe waitpid(child, &status, 0) }
        self.init(of: name, status: status)
    }

    /// Whether it ended as requested.
    package var isClean: Bool { status == 0 }

    /// Whether a signal killed it: then it could not report why.
    package var isSudden: Bool { clinux_ending_signal(status) != 0 }

    /// The exit status of a process that can't continue without it.
    package var failureStatus: Int32 {
        if isSudden || isClean { return 1 }
        return clinux_exit_status(status)
    }

    /// The description of the end.
    package var line: LogLine { line(LogLine()) }

    /// The same for a process that ended before it was ready.
    package var startLine: LogLine { line(LogLine("start: ")) }

    private func line(_ operation: LogLine) -> LogLine {
        let signal = clinux_ending_signal(status)
        var line = LogLine()
        line.append(name)
        line.append(": ")
        line.append(operation)
        if signal != 0 {
            line.append("killed by signal ")
            line.append(decimal: UInt32(signal))
            line.append(" (")
            if let name = unsafe strsignal(signal) { unsafe line.append(CString(unsafe: name)) }
            line.append(")")
        } else {
            line.append("ended with status ")
            line.append(decimal: UInt32(clinux_exit_status(status)))
        }
        return line
    }

    /// Prints why it never became ready, unless it has done so itself.
    package func warnOfStart() {
        if isSudden || isClean { warn(startLine) }
    }
}
