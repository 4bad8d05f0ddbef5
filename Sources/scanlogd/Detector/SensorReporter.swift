import Capture
import ScanCore
import System

/// Hands reports and lines of the sensor to the logger, and never waits for it. What there is no room for is counted.
struct SensorReporter: ~Copyable {
    private let link: SensorLinkEnd

    /// How many lines have been lost since the start.
    private(set) var lost: UInt64 = 0
    /// How many of them no line has reported yet.
    private var unreported: UInt64 = 0

    init(_ link: consuming SensorLinkEnd) {
        self.link = link
    }

    /// The number to poll: broken when the logger is gone, and with room again when it can be written.
    var data: Int32 { link.data.number }

    /// The number to poll for control messages of the logger.
    var control: Int32 { link.control.number }

    /// Whether it is worth waiting for room.
    var wantsRoom: Bool { unreported > 0 }

    /// Logs a report at a level of syslog(3).
    mutating func log(_ report: ScanReport, level: Int32) {
        write(Message(report, level: level))
    }

    /// Logs what is said about reports that are left out.
    mutating func log(suppression text: LogLine, level: Int32) {
        write(Message(.suppression, level: level, text: text))
    }

    /// Logs what an administrator should look after.
    mutating func warn(_ line: LogLine) {
        write(Message(.line, level: SyslogLevel.warning, text: line))
    }

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine) {
        write(Message(.line, level: SyslogLevel.notice, text: line))
    }

    /// Logs what is good to know.
    mutating func inform(_ line: LogLine) {
        write(Message(.line, level: SyslogLevel.info, text: line))
    }

    /// Logs why the sensor ends, which nobody asked it to: without the logger, if that is gone.
    mutating func logFailure(_ line: LogLine) {
        if send(Message(.line, level: SyslogLevel.critical, text: line), over: link.control) { return }
        CurrentProcess.end(after: 2)  // if syslogd takes no line
        SystemLog.writeOnce(line, level: SyslogLevel.critical)
    }

    @inline(never)  // called for in many places
    private mutating func write(_ message: Message) {
        reportLosses()
        if unreported > 0 || !send(message, over: link.data) {
            lost += 1
            unreported += 1
        }
    }

    /// Says how many lines were lost, if there is room to.
    @inline(never)
    mutating func reportLosses() {
        if unreported > 0 && send(lossMessage, over: link.data) { unreported = 0 }
    }

    /// Says it at the end, past the lines that there is no room behind.
    @inline(never)
    mutating func reportLastLosses() {
        reportLosses()
        if unreported > 0 { _ = send(lossMessage, over: link.control) }
    }

    private var lossMessage: Message {
        Message(.line, level: SyslogLevel.warning, number: UInt32(clamping: unreported), text: .lost(unreported))
    }

    /// Notifies the logger that all is ready.
    func notifyReady() throws(SystemError) {
        _ = try link.control.send(Message(.ready))
    }

    /// Answers a request of the logger with the status.
    func sendHeartbeat(_ status: LogLine) {
        _ = send(Message(.heartbeat, text: status), over: link.control)
    }

    /// Receives the next control message of the logger, in place of another.
    func nextMessage(_ message: inout Message) throws(SystemError) -> MessageChannel.Received {
        try link.control.receive(&message)
    }

    /// Sends it if there is room. That the logger is gone is found out by waiting for it.
    @inline(never)
    private func send(_ message: Message, over channel: borrowing MessageChannel) -> Bool {
        do throws(SystemError) {
            return try channel.send(message)
        } catch {
            return false
        }
    }
}
