/// The text of an event: one object of JSON (RFC 8259), in ASCII but for valid UTF-8 that came in as such.
///
/// Only the last field can be too long for it, the message of a fault, and that is cut off.
public struct EventText: Sendable {
    /// The maximum length in bytes, with the prefix. With what syslog(3) puts before it, it is less than 1,024: syslogds that follow
    /// RFC 3164 take that much.
    public static let capacity = 960

    /// The bytes of the text, of which the first ``count`` are valid.
    public private(set) var bytes = InlineArray<960, UInt8>(repeating: 0)

    /// The length of the text in bytes.
    public private(set) var count = 0

    /// The object of an event.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - line: its classic line, which may hold any bytes.
    ///   - prefix: what precedes the object, in ASCII.
    @inline(never)
    public init(_ event: Event, line: LogLine, behind prefix: String = "") {
        append(prefix)
        append("{")
        event.write(into: &self, line: line)
        append("}")
    }

    /// Ends the text with a line feed, for which there is always room.
    public mutating func endLine() { append("\n") }

    /// What has to fit behind a text that is cut off: its quotation mark, the end of the object, and of the line.
    private static var tailLength: Int { 3 }

    private mutating func append(_ text: String) {
        let utf8 = text.utf8Span.span
        for index in utf8.indices { append(byte: utf8[index]) }
    }

    private mutating func append(byte: UInt8) {
        if count < bytes.count {
            bytes[count] = byte
            count += 1
        }
    }

    private mutating func append(_ line: LogLine) {
        for index in 0..<line.count { append(byte: line.bytes[index]) }
    }

    private mutating func begin(_ name: String) {
        if bytes[count - 1] != UInt8(ascii: "{") { append(",") }
        append("\"")
        append(name)
        append("\":")
    }
}

extension EventText: EventFields {
    mutating func add(_ name: String, _ number: UInt64) {
        var text = LogLine()
        text.append(decimal: number)
        begin(name)
        append(text)
    }

    mutating func add(_ name: String, time nanoseconds: Int64) {
        var text = LogLine()
        text.append(epoch: nanoseconds)
        begin(name)
        append(text)
    }

    mutating func add(_ name: String, _ isSo: Bool) {
        begin(name)
        append(isSo ? "true" : "false")
    }

    mutating func add(_ name: String, _ text: LogLine) {
        begin(name)
        append("\"")
        appendEscaped(text)
        append("\"")
    }

    mutating func add(message: LogLine) { add("message", message) }

    mutating func add(
        _ name: String, count: Int, areNumbers: Bool, _ element: (Int, inout LogLine) -> Void
    ) {
        begin(name)
        append("[")
        for index in 0..<count {
            var text = LogLine()
            element(index, &text)
            if index > 0 { append(",") }
            if !areNumbers { append("\"") }
            append(text)
            if !areNumbers { append("\"") }
        }
        append("]")
    }

    /// Appends text as the contents of a string. Bytes that are no UTF-8 become U+FFFD.
    private mutating func appendEscaped(_ text: LogLine) {
        var index = 0
        while index < text.count {
            let length = text.lengthOfCharacter(at: index)
            var piece = LogLine()
            if length == 1 {
                piece.appendEscaped(text.bytes[index])
            } else if length == 0 {
                piece.append("\u{fffd}")
            } else {
                for place in index..<index + length { piece.append(byte: text.bytes[place]) }
            }
            if count + piece.count + EventText.tailLength > EventText.capacity { return }
            append(piece)
            index += max(length, 1)
        }
    }
}

extension LogLine {
    /// Appends an ASCII character as the contents of a string of JSON.
    fileprivate mutating func appendEscaped(_ character: UInt8) {
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append("\\")
            append(byte: character)
        case 0..<0x20, 0x7f:
            append("\\u")
            append(hexadecimal: UInt16(character), width: 4)
        default: append(byte: character)
        }
    }

    /// The length of the UTF-8 character that begins at a place (RFC 3629, section 4); 0 if none does.
    fileprivate func lengthOfCharacter(at index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let second = index + 1 < count ? bytes[index + 1] : 0
        let length: Int
        let allowed: ClosedRange<UInt8>
        switch first {
        case 0xc2...0xdf: (length, allowed) = (2, 0x80...0xbf)
        case 0xe0: (length, allowed) = (3, 0xa0...0xbf)
        case 0xed: (length, allowed) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, allowed) = (3, 0x80...0xbf)
        case 0xf0: (length, allowed) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, allowed) = (4, 0x80...0xbf)
        case 0xf4: (length, allowed) = (4, 0x80...0x8f)
        default: return 0
        }
        if index + length > count || !allowed.contains(second) { return 0 }
        for place in index + 2..<max(index + length, index + 2) where bytes[place] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
