import Capture
import ScanCore
import System

/// Sends reports and lines of the sensor to the logger, and never blocks. Messages that do not fit are counted.
struct SensorReporter: ~Copyable {
    private let link: SensorLinkEnd

    /// How many lines have been lost since the start.
    private(set) var lost: UInt64 = 0
    /// How many of them were not reported yet.
    private var unreported: UInt64 = 0

    init(_ link: consuming SensorLinkEnd) {
        self.link = link
    }

    /// The descriptor to poll: in error when the logger is gone, and writable when there is room.
    var data: Int32 { link.data.number }

    /// The descriptor to poll for control messages of the logger.
    var control: Int32 { link.control.number }

    /// Whether to poll for room.
    var wantsRoom: Bool { unreported > 0 }

    /// Logs a report at a level of syslog(3).
    mutating func log(_ report: ScanReport, level: Int32) {
        write(Message(report, level: level))
    }

    /// Logs the end of a scan at a level of syslog(3).
    mutating func log(_ end: ScanEnd, level: Int32) {
        write(Message(end, level: level))
    }

    /// Logs a line about suppressed reports.
    mutating func log(_ suppression: SuppressionLine, level: Int32) {
        write(Message(suppression, level: level))
    }

    /// Logs something of the touches of a minute, if there is room.
    mutating func log(_ touch: TouchMessage) -> Bool {
        unreported == 0 && send(Message(touch), over: link.data)
    }

    /// Counts a message for which there was no room.
    mutating func countLost() {
        lost += 1
        unreported += 1
    }

    /// Logs a warning.
    mutating func warn(_ line: LogLine) {
        write(Message(.line, level: SyslogLevel.warning, text: line))
    }

    /// Logs a change that is not an error.
    mutating func notice(_ line: LogLine) {
        write(Message(.line, level: SyslogLevel.notice, text: line))
    }

    /// Logs the counters.
    mutating func log(_ status: StatusCounts) {
        write(Message(status))
    }

    /// Logs why the sensor ends unasked: without the logger, if that is gone.
    mutating func logFailure(_ line: LogLine) {
        if send(Message(.line, level: SyslogLevel.critical, text: line), over: link.control) { return }
        CurrentProcess.end(after: 2)  // if syslogd does not accept the line
        SystemLog.writeOnce(line, level: SyslogLevel.critical)
    }

    private mutating func write(_ message: Message) {
        reportLosses()
        if unreported > 0 || !send(message, over: link.data) {
            countLost()
        }
    }

    /// Reports how many lines were lost, if there is room.
    mutating func reportLosses() {
        if unreported > 0 && send(lossMessage, over: link.data) { unreported = 0 }
    }

    /// Reports that at the end over the control channel, if there is no room in the data channel.
    mutating func reportLastLosses() {
        reportLosses()
        if unreported > 0 { _ = send(lossMessage, over: link.control) }
    }

    private var lossMessage: Message {
        Message(.line, level: SyslogLevel.warning, number: UInt32(clamping: unreported), text: .lost(unreported))
    }

    /// Notifies the logger that the sensor is ready.
    func notifyReady() throws(SystemError) {
        _ = try link.control.send(Message(.ready))
    }

    /// Answers a request of the logger with the status.
    func sendHeartbeat(_ status: StatusCounts) {
        _ = send(Message(.heartbeat, text: LogLine(status)), over: link.control)
    }

    /// Receives the next control message of the logger, overwriting `message`.
    func nextMessage(_ message: inout Message) throws(SystemError) -> MessageChannel.Received {
        try link.control.receive(&message)
    }

    /// Sends a message if there is room. The end of the logger is noticed by polling.
    private func send(_ message: Message, over channel: borrowing MessageChannel) -> Bool {
        do throws(SystemError) {
            return try channel.send(message)
        } catch {
            return false
        }
    }
}
