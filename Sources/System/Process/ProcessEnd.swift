import CLinux
import ScanCore

/// How a process ended that we had started.
package struct ProcessEnd {
    /// What the process was for: `sensor`, say.
    private let name: CString
    private let status: Int32

    /// Takes over what waitpid(2) says of a process.
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

    /// It ended because it was told to.
    package var isClean: Bool { status == 0 }

    /// Whether a signal ended it: then it had no chance to say why.
    package var isSudden: Bool { clinux_ending_signal(status) != 0 }

    /// The exit status of whoever can't go on without it.
    package var failureStatus: Int32 {
        if isSudden || isClean { return 1 }
        return clinux_exit_status(status)
    }

    /// What happened, in words.
    package var line: LogLine { line(LogLine()) }

    /// The same, of a process that ended before it was ready.
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

    /// Says why it never was ready, unless it has said so itself.
    package func warnOfStart() {
        if isSudden || isClean { warn(startLine) }
    }
}
