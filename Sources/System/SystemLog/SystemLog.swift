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

    /// What is written beside the lines.
    package struct Form {
        /// Whether the event of each line follows it, as a second one.
        package var hasEvents = false
        /// Whether lines go to the socket of systemd's journal with their fields, where there is one.
        package var prefersJournal = false

        package init() {}
    }

    /// Whether each line is also copied to standard error.
    package let copiesLines: Bool
    /// What is written beside the lines.
    let form: Form
    /// The socket that syslog(3) is connected to.
    private var connected: LogSocket.Identity?

    /// Connects to syslogd, for the sensor too: it can't reach the socket after its chroot.
    ///
    /// - Parameters:
    ///   - copyToStandardError: whether each line is also copied there.
    ///   - form: what is written beside the lines.
    package init(copyToStandardError: Bool, _ form: Form = Form()) {
        copiesLines = copyToStandardError && !standardErrorIsTheJournal()
        self.form = form
        Self.open(LOG_NDELAY)
    }

    /// Sets the identifier of the lines, and connects at once or with the first line.
    private static func open(_ options: Int32, as ident: CString = CString(Parameters.syslogIdent)) {
        unsafe openlog(ident.pointer, options, Parameters.syslogFacility << 3)
    }

    /// Tries to log a line: to the journal with its fields if that is preferred and there.
    ///
    /// - Returns: the outcome, which determines when to retry.
    mutating func write(_ item: LogQueue.Item) -> Outcome {
        if form.prefersJournal {
            let level = UInt8(truncatingIfNeeded: item.level)
            var ident = LogLine()
            ident.append(CString(Parameters.syslogIdent))
            let text = JournalText(item.event, line: item.line, level: level, ident: ident)
            let outcome = JournalSocket.send(text)
            if outcome != .absent { return outcome }
        }
        return write(item.line, level: item.level)
    }

    /// Tries to log the event of a line, as a line under an identifier of its own.
    ///
    /// - Returns: the outcome, which determines when to retry.
    mutating func write(eventOf item: LogQueue.Item) -> Outcome {
        let text = EventText(item.event, line: item.line, behind: Self.eventPrefix)
        return write(text.bytes.span.extracting(0..<text.count), level: item.level, as: "scanlogd-event")
    }

    /// What tells a reader of the log that an object of JSON follows, if it is the first thing in a message.
    private static var eventPrefix: String { "@cee: " }

    /// Tries to log a line, within about half a second.
    ///
    /// Any local process can keep the socket full. So this blocks in the kernel, which wakes one sender after the other
    /// as room becomes available: a sender that only polls for room may never find any.
    ///
    /// - Returns: the outcome, which determines when to retry.
    package mutating func write(_ line: LogLine, level: Int32) -> Outcome {
        write(line.bytes.span.extracting(0..<line.count), level: level, as: CString(Parameters.syslogIdent))
    }

    private mutating func write(_ text: Span<UInt8>, level: Int32, as ident: CString) -> Outcome {
        do throws(SystemError) {
            let before = try LogSocket.identity()
            if connected != before {
                closelog()  // otherwise it keeps using a socket that has been replaced
                connected = before
            }
            // It keeps a connection. closelog(3) resets the identifier, and argv[0], whatever that is, would replace it.
            Self.open(0, as: ident)
            if unsafe withText(text, { unsafe clinux_syslog_impatiently(level, $0, $1) }) { return .full }
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
    unsafe withText(line.bytes.span.extracting(0..<line.count), body)
}

private func withText<Result>(_ text: Span<UInt8>, _ body: (UnsafePointer<CChar>?, Int32) -> Result) -> Result {
    unsafe text.withUnsafeBytes { bytes in
        unsafe body(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
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
