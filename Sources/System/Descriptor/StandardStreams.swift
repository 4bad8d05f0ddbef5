import CLinux
import ScanCore

/// The descriptor numbers of the standard streams.
package enum StandardStream {
    package static var input: Int32 { STDIN_FILENO }
    package static var output: Int32 { STDOUT_FILENO }
    package static var error: Int32 { STDERR_FILENO }
}

/// Prints the whole text to standard output.
package func print(_ text: String) throws(SystemError) {
    try write(text.utf8Span.span, to: STDOUT_FILENO, "standard output")
}

/// Prints all of a few lines to standard output.
package func print(_ lines: LogLine) throws(SystemError) {
    try write(lines.bytes.span.extracting(0..<lines.count), to: STDOUT_FILENO, "standard output")
}

/// Prints all of an event to standard output.
package func print(_ event: EventText) throws(SystemError) {
    try write(event.bytes.span.extracting(0..<event.count), to: STDOUT_FILENO, "standard output")
}

/// Prints an error to standard error, in one line: `scanlogd: object: operation: reason`.
package func warn(_ complaint: LogLine) {
    var line = LogLine("scanlogd: ")
    line.append(complaint)
    printError(line)
}

/// Prints one line on standard error.
package func printError(_ text: LogLine) {
    let line = errorLine(text)
    do throws(SystemError) {
        try write(line.bytes.span.extracting(0..<line.count), to: STDERR_FILENO, "standard error")
    } catch {
        // The error can't be reported; the exit status shows it too.
    }
}

/// Prints one line on standard error unless that would block.
package func printErrorIfWritable(_ text: LogLine) {
    if FileWriting.room(in: STDERR_FILENO) == .none { return }
    let line = errorLine(text)
    _ = unsafe FileWriting.writeImpatiently(line.bytes.span.extracting(0..<line.count).bytes, to: STDERR_FILENO)
}

@inline(__always)  // 560 bytes less in the smallest binary
private func errorLine(_ text: LogLine) -> LogLine {
    var line = text
    line.replaceControls()
    line.shorten(to: LogLine.capacity - 1)
    line.append("\n")
    return line
}

private func write(_ bytes: Span<UInt8>, to descriptor: Int32, _ object: CString) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let rest = bytes.extracting(written...)
        let count = unsafe try rest.withUnsafeBufferPointer { (buffer) throws(SystemError) -> Int32 in
            try check(object, "write") {
                unsafe Int32(clamping: write(descriptor, buffer.baseAddress, buffer.count))
            }
        }
        written += Int(count)
    }
}
