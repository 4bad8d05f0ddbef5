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
    }

    /// The size in bytes: eight messages fill a page.
    package static let size = 512
    /// The size of the header before the text, the report or the end: kind, level, length of what follows, number,
    /// little-endian.
    private static let headerSize = 8

    package let kind: Kind
    /// The syslog level.
    package let level: Int32
    /// For a line: how many lost lines it reports.
    package let number: UInt32
    package let text: LogLine
    /// The report; `nil` in other messages.
    package let report: ScanReport?
    /// The end of a scan; `nil` in other messages.
    package let end: ScanEnd?

    package init(_ kind: Kind, level: Int32 = LOG_INFO, number: UInt32 = 0, text: LogLine = LogLine()) {
        self.kind = kind
        self.level = level
        self.number = number
        self.text = text
        report = nil
        end = nil
    }

    /// Creates a message with a report to log at a level.
    package init(_ report: ScanReport, level: Int32) {
        kind = .report
        self.level = level
        number = 0
        text = LogLine()
        self.report = report
        end = nil
    }

    /// Creates a message with the end of a scan to log at a level.
    package init(_ end: ScanEnd, level: Int32) {
        kind = .end
        self.level = level
        number = 0
        text = LogLine()
        report = nil
        self.end = end
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
        let content = bytes.span.extracting(Message.headerSize..<Message.headerSize + length)
        var report: ScanReport?
        var end: ScanEnd?
        do throws(PacketFault) {
            if kind == .report { report = try ScanReport(encoded: content) }
            if kind == .end { end = try ScanEnd(encoded: content) }
        } catch {
            return nil
        }
        self.report = report
        self.end = end
        text = kind == .report || kind == .end ? LogLine() : Message.text(content)
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
        let room = Message.size - Message.headerSize
        let length =
            switch kind {
            case .report: ScanReport.encodedSize
            case .end: ScanEnd.encodedSize
            default: min(text.count, room)
            }
        bytes[0] = kind.rawValue
        bytes[1] = UInt8(truncatingIfNeeded: level)
        bytes[2] = UInt8(truncatingIfNeeded: length)
        bytes[3] = UInt8(truncatingIfNeeded: length >> 8)
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
        if let encoded = report?.encoded {
            for index in 0..<length { bytes[Message.headerSize + index] = encoded[index] }
        } else if let encoded = end?.encoded {
            for index in 0..<length { bytes[Message.headerSize + index] = encoded[index] }
        } else {
            for index in 0..<length { bytes[Message.headerSize + index] = text.bytes[index] }
        }
        return bytes
    }
}
