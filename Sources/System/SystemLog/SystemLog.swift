import CLinux
import ScanCore

/// The system log, through syslog(3), with an optional copy on standard error.
///
/// syslog(3) does not report failures. So the log's socket is examined before and after each line: if it was the same,
/// with a listener, the line was delivered. If not, it is written again: delivery is at least once.
package struct SystemLog {
    /// The outcome of a write.
    package enum Outcome {
        /// The line is in the log.
        case arrived
        /// The log's queue stayed full, or other senders took the room, throughout the wait.
        case full
        /// No log is running.
        case absent
    }

    /// Whether each line is also copied to standard error.
    package let copiesLines: Bool
    /// The socket that syslog(3) is connected to.
    private var connected: LogSocket.Identity?

    /// Connects to syslogd, for the sensor too: it can't reach the socket after its chroot.
    ///
    /// - Parameter copyToStandardError: whether each line is also copied there.
    package init(copyToStandardError: Bool) {
        copiesLines = copyToStandardError && !standardErrorIsTheJournal()
        Self.open(LOG_NDELAY)
    }

    /// Sets the identifier of the lines, and connects at once or with the first line.
    private static func open(_ options: Int32) {
        unsafe openlog(CString(Parameters.syslogIdent).pointer, options, Parameters.syslogFacility << 3)
    }

    /// Tries to log a line, within about half a second.
    ///
    /// Any local process can keep the socket full. So this blocks in the kernel, which wakes one sender after the other
    /// as room becomes available: a sender that only polls for room may never find any.
    ///
    /// - Returns: the outcome, which determines when to retry.
    package mutating func write(_ line: LogLine, level: Int32) -> Outcome {
        do throws(SystemError) {
            let before = try LogSocket.identity()
            if connected != before {
                closelog()  // otherwise it keeps using a socket that has been replaced
                Self.open(0)  // closelog(3) resets the identifier, and argv[0], whatever that is, would replace it
                connected = before
            }
            if unsafe withText(of: line, { unsafe clinux_syslog_impatiently(level, $0, $1) }) { return .full }
            return try LogSocket.identity() == before ? .arrived : .absent
        } catch {
            return .absent
        }
    }

    /// Copies a line to standard error, if that is enabled and does not block.
    package func copy(_ line: LogLine) {
        if !copiesLines { return }
        var waiting = PollSet<1>()
        waiting.watch(0, STDERR_FILENO, for: POLLOUT)
        do throws(SystemError) {
            try waiting.wait(timeout: 0)
        } catch {
            return
        }
        if waiting.happened(0) { warn(line) }
    }

    /// Logs a line over the connection opened at the start, and no other; failures are ignored.
    package static func writeOnce(_ line: LogLine, level: Int32) {
        unsafe withText(of: line) { unsafe clinux_syslog(level, $0, $1) }
    }
}

private func withText<Result>(of line: LogLine, _ body: (UnsafePointer<CChar>?, Int32) -> Result) -> Result {
    unsafe line.bytes.span.withUnsafeBytes { bytes in
        unsafe body(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(line.count))
    }
}

/// Whether standard error is connected to the journal, which receives syslog messages too: systemd.exec(5),
/// $JOURNAL_STREAM.
private func standardErrorIsTheJournal() -> Bool {
    var status = stat()
    guard let stream = unsafe getenv("JOURNAL_STREAM"), unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
    var expected = LogLine()
    expected.append(decimal: UInt64(status.st_dev))
    expected.append(":")
    expected.append(decimal: UInt64(status.st_ino))
    expected.append(byte: 0)
    return unsafe withText(of: expected) { text, _ in
        guard let text = unsafe text else { return false }
        return unsafe strcmp(text, stream) == 0
    }
}
