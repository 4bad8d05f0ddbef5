import CLinux
import ScanCore

/// The system log, by way of syslog(3), and a copy of it on standard error if that is wanted.
///
/// syslog(3) says nothing of failure. So we look at the log's socket before and after each line: if it was the same one,
/// with somebody behind it, the line arrived. If not it has to be written again: at least once, that is.
package struct SystemLog {
    /// What became of a line.
    package enum Outcome {
        /// It is in the log.
        case arrived
        /// Whoever listens takes no line, or others were before us, all the time that we waited.
        case full
        /// Nobody listens.
        case absent
    }

    /// Whether each line goes to standard error as well.
    package let copiesLines: Bool
    /// The socket that syslog(3) is connected to.
    private var connected: LogSocket.Identity?

    /// Connects to syslogd, for the sensor too: it can't reach the socket from inside its root directory.
    ///
    /// - Parameter copyToStandardError: whether each line goes there as well.
    package init(copyToStandardError: Bool) {
        copiesLines = copyToStandardError && !standardErrorIsTheJournal()
        Self.open(LOG_NDELAY)
    }

    /// Says whose lines they are, and connects at once or with the first line.
    private static func open(_ options: Int32) {
        unsafe openlog(CString(Parameters.syslogIdent).pointer, options, Parameters.syslogFacility << 3)
    }

    /// Tries to log a line, within about half a second.
    ///
    /// Anybody can keep the socket full. So we wait where the kernel wakes one sender after the other as room comes: who
    /// only looks now and then whether there is room finds none.
    ///
    /// - Returns: whether it is in the log; if not, why, which says when to try again.
    @inline(never)
    package mutating func write(_ line: LogLine, level: Int32) -> Outcome {
        do throws(SystemError) {
            let before = try LogSocket.identity()
            if connected != before {
                closelog()  // it would go on with a socket that nobody finds any more
                Self.open(0)  // closelog(3) forgot the name, and argv[0] would stand for it, whatever that is
                connected = before
            }
            if unsafe withText(of: line, { unsafe clinux_syslog_impatiently(level, $0, $1) }) { return .full }
            return try LogSocket.identity() == before ? .arrived : .absent
        } catch {
            return .absent
        }
    }

    /// Copies a line to standard error, if that is wanted and nobody has to wait for it.
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

    /// Logs a line over the connection that was opened at the start, and no other, without a promise.
    package static func writeOnce(_ line: LogLine, level: Int32) {
        unsafe withText(of: line) { unsafe clinux_syslog(level, $0, $1) }
    }
}

private func withText<Result>(of line: LogLine, _ body: (UnsafePointer<CChar>?, Int32) -> Result) -> Result {
    unsafe line.bytes.span.withUnsafeBytes { bytes in
        unsafe body(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(line.count))
    }
}

/// Whether standard error goes to the journal, where syslog goes too: systemd.exec(5), $JOURNAL_STREAM.
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
