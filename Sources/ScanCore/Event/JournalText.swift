/// The text of an event in the native protocol of systemd's journal: a datagram with a field a line, each `NAME=VALUE`.
///
/// The line of the event is its MESSAGE, byte for byte. The other fields have the names of the JSON form, in capitals
/// behind `SCANLOGD_`; a list is a field that is there several times.
public struct JournalText: Sendable {
    /// The maximum length in bytes: more than any event takes.
    public static let capacity = 2048

    /// The bytes of the text, of which the first ``count`` are valid.
    public private(set) var bytes = InlineArray<2048, UInt8>(repeating: 0)

    /// The length of the text in bytes.
    public private(set) var count = 0

    /// The datagram of an event.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - line: its classic line, which may hold any bytes.
    ///   - level: its syslog level.
    ///   - ident: the identifier of the lines.
    @inline(never)
    public init(_ event: Event, line: LogLine, level: UInt8, ident: LogLine) {
        appendMessage(line)
        var text = LogLine()
        text.append(decimal: level)
        append("PRIORITY", text)
        text = LogLine()
        text.append(decimal: UInt32(bitPattern: Parameters.syslogFacility))
        append("SYSLOG_FACILITY", text)
        append("SYSLOG_IDENTIFIER", ident)
        event.write(into: &self, line: line)
    }

    /// Appends the message in the form that can hold line feeds: its length follows the name, little-endian.
    private mutating func appendMessage(_ line: LogLine) {
        append(LogLine("MESSAGE\n"))
        for index in 0..<8 { append(byte: UInt8(truncatingIfNeeded: UInt64(line.count) >> (8 * UInt64(index)))) }
        append(line)
        append(byte: UInt8(ascii: "\n"))
    }

    private mutating func append(_ name: String, _ value: LogLine) {
        append(LogLine(name))
        append(byte: UInt8(ascii: "="))
        append(value)
        append(byte: UInt8(ascii: "\n"))
    }

    private mutating func append(_ line: LogLine) {
        for index in 0..<line.count { append(byte: line.bytes[index]) }
    }

    private mutating func append(byte: UInt8) {
        precondition(count < JournalText.capacity)
        bytes[count] = byte
        count += 1
    }

    /// Appends a field of ours, whose value is free of line feeds.
    private mutating func appendOwn(_ name: String, _ value: LogLine) {
        append(LogLine("SCANLOGD_"))
        let letters = name.utf8Span.span
        for index in letters.indices {
            let isSmall = letters[index] >= UInt8(ascii: "a") && letters[index] <= UInt8(ascii: "z")
            append(byte: isSmall ? letters[index] - 32 : letters[index])  // the distance from lower to upper case
        }
        append(byte: UInt8(ascii: "="))
        append(value)
        append(byte: UInt8(ascii: "\n"))
    }
}

extension JournalText: EventFields {
    mutating func add(_ name: String, _ number: UInt64) {
        var text = LogLine()
        text.append(decimal: number)
        appendOwn(name, text)
    }

    mutating func add(_ name: String, time nanoseconds: Int64) {
        var text = LogLine()
        text.append(epoch: nanoseconds)
        appendOwn(name, text)
    }

    mutating func add(_ name: String, _ isSo: Bool) {
        appendOwn(name, LogLine(isSo ? "true" : "false"))
    }

    /// Only the line itself, which the journal has as MESSAGE, can hold a line feed.
    mutating func add(message: LogLine) {}

    mutating func add(_ name: String, _ text: LogLine) {
        appendOwn(name, text)
    }

    mutating func add(
        _ name: String, count: Int, areNumbers: Bool, _ element: (Int, inout LogLine) -> Void
    ) {
        for index in 0..<count {
            var text = LogLine()
            element(index, &text)
            appendOwn(name, text)
        }
    }
}
