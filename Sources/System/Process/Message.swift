import CLinux
import ScanCore

/// A message between the daemon's processes: something to log, or a control message.
///
/// It has a fixed size, below PIPE_BUF (pipe(7)), so that writes to a pipe are atomic.
package struct Message {
    /// The type of a message.
    package enum Kind: UInt8 {
        /// From the sensor: the text to log.
        case line = 1
        /// From the sensor: it has dropped its privileges and captures packets. From the broker: it has dropped them.
        case ready
        /// From the sensor: a sign of life, with its counters as text.
        case heartbeat
        /// To the sensor: a request for a heartbeat.
        case heartbeatRequest
        /// To the sensor: a request to log its counters. The number is how many lines the logger has lost.
        case logStatus
        /// To the sensor: a request to end.
        case stop
        /// To the broker: a request to reopen the output file. From it: the reply.
        case reopen
        /// From the sensor: a scan to log.
        case report
        /// From the sensor: the text to log about suppressed reports.
        case suppression
        /// From the sensor: the end of a scan to log.
        case end
        /// From the sensor: its counters to log.
        case status
        /// From the sensor: something of the touches of a minute, as an event only.
        case touch
    }

    /// The size in bytes: eight messages fill a page.
    package static let size = 512
    /// The size of the header before the value and the text: kind, level, length of what follows, number,
    /// little-endian.
    private static let headerSize = 8

    package let kind: Kind
    /// The syslog level.
    package let level: Int32
    /// For a line: how many lost lines it reports.
    package let number: UInt32
    package let text: LogLine
    /// What it is about; of a line, no more than that says.
    package let content: EventContent

    package init(_ kind: Kind, level: Int32 = LOG_INFO, number: UInt32 = 0, text: LogLine = LogLine()) {
        self.init(kind, level, number: number, .fault, text)
    }

    /// Creates a message with a report to log at a level.
    package init(_ report: ScanReport, level: Int32) {
        self.init(.report, level, .scan(report))
    }

    /// Creates a message with the end of a scan to log at a level.
    package init(_ end: ScanEnd, level: Int32) {
        self.init(.end, level, .end(end))
    }

    /// Creates a message with a line about suppressed reports to log at a level.
    package init(_ suppression: SuppressionLine, level: Int32) {
        self.init(.suppression, level, .summary(suppression.summary), suppression.text)
    }

    /// Creates a message with counters to log.
    package init(_ status: StatusCounts) {
        self.init(.status, LOG_INFO, .status(status))
    }

    /// Creates a message with something of the touches of a minute.
    package init(_ touch: TouchMessage) {
        self.init(.touch, LOG_INFO, .touch(touch))
    }

    private init(
        _ kind: Kind, _ level: Int32, number: UInt32 = 0, _ content: EventContent, _ text: LogLine = LogLine()
    ) {
        self.kind = kind
        self.level = level
        self.number = number
        self.text = text
        self.content = content
    }

    /// Decodes a message of another process, which is trusted no more than a packet: `nil` if it is invalid.
    ///
    /// Unprintable bytes of the text are replaced by question marks.
    package init?(_ bytes: InlineArray<512, UInt8>) {
        let length = Int(bytes[2]) | Int(bytes[3]) << 8
        guard let kind = Kind(rawValue: bytes[0]), bytes[1] <= 7, length <= Message.size - Message.headerSize else {
            return nil
        }
        self.kind = kind
        level = Int32(bytes[1])
        number = UInt32(bytes[4]) | UInt32(bytes[5]) << 8 | UInt32(bytes[6]) << 16 | UInt32(bytes[7]) << 24
        let sent = bytes.span.extracting(Message.headerSize..<Message.headerSize + length)
        let valueSize = kind.valueSize(of: length)
        do throws(PacketFault) {
            content = try EventContent(kind, encoded: sent.extracting(0..<valueSize))
        } catch {
            return nil
        }
        text = Message.text(sent.extracting(valueSize...))
    }

    private static func text(_ bytes: Span<UInt8>) -> LogLine {
        var text = LogLine()
        for index in bytes.indices {
            let byte = bytes[index]
            text.append(byte: byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
        }
        return text
    }

    /// The encoded message. Text that does not fit is truncated.
    package var bytes: InlineArray<512, UInt8> {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        var end = Message.headerSize
        switch content {
        case .scan(let report): bytes.append(report.encoded.span, at: &end)
        case .end(let scan): bytes.append(scan.encoded.span, at: &end)
        case .summary(let summary): bytes.append(summary.encoded.span, at: &end)
        case .status(let status): bytes.append(status.encoded.span, at: &end)
        case .touch(let touch): bytes.append(touch.encoded.span, at: &end)
        case .attempt, .start, .stop, .fault: break
        }
        bytes.append(text.bytes.span.extracting(0..<min(text.count, Message.size - end)), at: &end)
        let length = end - Message.headerSize
        bytes[0] = kind.rawValue
        bytes[1] = UInt8(truncatingIfNeeded: level)
        bytes[2] = UInt8(truncatingIfNeeded: length)
        bytes[3] = UInt8(truncatingIfNeeded: length >> 8)
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
        return bytes
    }
}

extension Message.Kind {
    /// How many bytes of the content are a value, in a message with a content of so many: text follows only where this
    /// is not all of it.
    fileprivate func valueSize(of length: Int) -> Int {
        switch self {
        case .report, .end, .status, .touch: length
        case .suppression: min(length, SuppressionSummary.encodedSize)
        default: 0
        }
    }
}

extension EventContent {
    /// Decodes the value in a message of a kind.
    fileprivate init(_ kind: Message.Kind, encoded bytes: Span<UInt8>) throws(PacketFault) {
        switch kind {
        case .report: self = .scan(try ScanReport(encoded: bytes))
        case .end: self = .end(try ScanEnd(encoded: bytes))
        case .suppression: self = .summary(try SuppressionSummary(encoded: bytes))
        case .status: self = .status(try StatusCounts(encoded: bytes))
        case .touch: self = .touch(try TouchMessage(encoded: bytes))
        default: self = .fault
        }
    }
}

extension InlineArray<512, UInt8> {
    /// Writes bytes at a place, which is moved behind them.
    fileprivate mutating func append(_ more: Span<UInt8>, at end: inout Int) {
        for index in more.indices { self[end + index] = more[index] }
        end += more.count
    }
}
