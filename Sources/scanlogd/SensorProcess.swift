import Capture
import CLinux
import ScanCore

/// The sensor, seen from the process that started it. It does not outlive this value.
struct SensorProcess: ~Copyable {
    private let process: pid_t
    private(set) var end: End?

    /// How a process ended.
    struct End {
        fileprivate let status: Int32

        /// It ended because it was told to.
        var isClean: Bool { status == 0 }

        /// Whether a signal ended it: then it had no chance to say why.
        var isSudden: Bool { clinux_ending_signal(status) != 0 }

        /// What happened, in words.
        var line: LogLine {
            let signal = clinux_ending_signal(status)
            var line = LogLine()
            if signal != 0 {
                line.append("sensor: killed by signal ")
                line.append(decimal: UInt32(signal))
                line.append(" (")
                if let name = unsafe strsignal(signal) { unsafe line.append(ConstantText(unsafe: name)) }
                line.append(")")
            } else {
                line.append("sensor: ended with status ")
                line.append(decimal: UInt32(clinux_exit_status(status)))
            }
            return line
        }
    }

    /// Takes over a child.
    init(_ process: pid_t) {
        self.process = process
    }

    deinit {
        if end == nil { reap() }
    }

    @inline(never)  // for it would stand wherever a value may end
    private borrowing func reap() {
        kill()
        waitpid(process, nil, 0)
    }

    /// Notices if it has ended.
    mutating func look() {
        if end != nil { return }
        var status: Int32 = 0
        if unsafe waitpid(process, &status, WNOHANG) == process { end = End(status: status) }
    }

    /// Waits for its end.
    mutating func waitForEnd() throws(SystemError) -> End {
        if let end { return end }
        var status: Int32 = 0
        _ = try check("sensor", "wait for") { unsafe waitpid(process, &status, 0) }
        let end = End(status: status)
        self.end = end
        return end
    }

    /// Ends it at once.
    func kill() {
        _ = CLinux.kill(process, SIGKILL)
    }
}
