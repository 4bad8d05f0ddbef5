import CLinux
import ScanCore

/// What the daemon's two processes hand to each other: something for the log, or a control message.
///
/// It has a fixed size, below PIPE_BUF (pipe(7)): it goes into a pipe whole, or not at all.
package struct Message {
    /// What it means.
    package enum Kind: UInt8 {
        /// From the sensor: its text is to be logged.
        case line = 1
        /// From the sensor: it has given its privileges up and looks at packets. From the broker: it has given them up.
        case ready
        /// From the sensor: it is alive. The text is its counters.
        case heartbeat
        /// To the sensor: show that you are alive.
        case heartbeatRequest
        /// To the sensor: log your counters. The number is how many lines the logger has lost.
        case logStatus
        /// To the sensor: end.
        case stop
        /// To the broker: open the output file anew. From it: here it is.
        case reopen
        /// From the sensor: a scan is to be logged.
        case report
        /// From the sensor: its text, about reports that are left out, is to be logged.
        case suppression
    }

    /// Its size in bytes: eight of them fill a page.
    package static let size = 512
    /// The bytes before the text or the report: kind, level, length of what follows, number, in the order of this machine.
    private static let headerSize = 8

    package let kind: Kind
    /// The syslog level of what is to be logged.
    package let level: Int32
    /// Of a line: how many lost lines it tells of.
    package let number: UInt32
    package let text: LogLine
    /// The report; `nil` in a message of any other kind.
    package let report: ScanReport?

    package init(_ kind: Kind, level: Int32 = LOG_INFO, number: UInt32 = 0, text: LogLine = LogLine()) {
        self.kind = kind
        self.level = level
        self.number = number
        self.text = text
        report = nil
    }

    /// A report that is to be logged at a level.
    package init(_ report: ScanReport, level: Int32) {
        kind = .report
        self.level = level
        number = 0
        text = LogLine()
        self.report = report
    }

    /// Reads what another process wrote, and trusts it no more than a packet: `nil` if it is no message.
    ///
    /// A byte of the text that can't be printed becomes a question mark.
    package init?(_ bytes: InlineArray<512, UInt8>) {
        let length = Int(bytes[2]) | Int(bytes[3]) << 8
        guard let kind = Kind(rawValue: bytes[0]), bytes[1] <= 7, length <= Message.size - Message.headerSize else {
            return nil
        }
        self.kind = kind
        level = Int32(bytes[1])
        number = UInt32(bytes[4]) | UInt32(bytes[5]) << 8 | UInt32(bytes[6]) << 16 | UInt32(bytes[7]) << 24
        let content = bytes.span.extracting(Message.headerSize..<Message.headerSize + length)
        if kind == .report {
            guard let report = Message.report(content) else { return nil }
            self.report = report
            text = LogLine()
        } else {
            report = nil
            text = Message.text(content)
        }
    }

    private static func report(_ bytes: Span<UInt8>) -> ScanReport? {
        do throws(PacketFault) {
            return try ScanReport(encoded: bytes)
        } catch {
            return nil
        }
    }

    private static func text(_ bytes: Span<UInt8>) -> LogLine {
        var text = LogLine()
        for index in bytes.indices {
            let byte = bytes[index]
            text.append(byte: byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
        }
        return text
    }

    /// The bytes that ``init(_:)`` reads. Text that does not fit is cut off.
    package var bytes: InlineArray<512, UInt8> {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        let length = report == nil ? min(text.count, Message.size - Message.headerSize) : ScanReport.encodedSize
        bytes[0] = kind.rawValue
        bytes[1] = UInt8(truncatingIfNeeded: level)
        bytes[2] = UInt8(truncatingIfNeeded: length)
        bytes[3] = UInt8(truncatingIfNeeded: length >> 8)
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
        if let encoded = report?.encoded {
            for index in 0..<length { bytes[Message.headerSize + index] = encoded[index] }
        } else {
            for index in 0..<length { bytes[Message.headerSize + index] = text.bytes[index] }
        }
        return bytes
    }
}
