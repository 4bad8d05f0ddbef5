import Capture
import ScanCore
import System

/// The sensor's voice: it hands lines to the writer and never waits for it. What there is no room for is counted.
struct SensorReporter: ~Copyable {
    private let link: SensorLinkEnd

    /// How many lines have been lost since the start.
    private(set) var lost: UInt64 = 0
    /// How many of them no line has told of yet.
    private var untold: UInt64 = 0

    init(_ link: consuming SensorLinkEnd) {
        self.link = link
    }

    /// The number to poll: broken when the writer is gone, and with room again when it can be written.
    var lines: Int32 { link.lines.number }

    /// The number to poll for words of the writer.
    var words: Int32 { link.words.number }

    /// Whether it is worth waiting for room.
    var wantsRoom: Bool { untold > 0 }

    /// Logs a report, or the line in place of one, at a level of syslog(3).
    mutating func report(_ line: LogLine, level: Int32) {
        write(line, level: level)
    }

    /// Logs what an administrator should look after.
    mutating func warn(_ line: LogLine) {
        write(line, level: SyslogLevel.warning)
    }

    /// Logs a change that is no fault of ours.
    mutating func notice(_ line: LogLine) {
        write(line, level: SyslogLevel.notice)
    }

    /// Logs what is good to know.
    mutating func inform(_ line: LogLine) {
        write(line, level: SyslogLevel.info)
    }

    /// Logs why the sensor ends, which nobody asked it to: without the writer, if that is gone.
    mutating func giveUp(_ line: LogLine) {
        if send(Message(.line, level: SyslogLevel.critical, text: line), over: link.words) { return }
        CurrentProcess.end(after: 2)  // if syslogd takes no line
        SystemLog.writeOnce(line, level: SyslogLevel.critical)
    }

    @inline(never)  // called for in many places
    private mutating func write(_ line: LogLine, level: Int32) {
        tellLosses()
        if untold > 0 || !send(Message(.line, level: level, text: line), over: link.lines) {
            lost += 1
            untold += 1
        }
    }

    /// Says how many lines were lost, if there is room to.
    @inline(never)
    mutating func tellLosses() {
        if untold > 0 && send(lossRecord, over: link.lines) { untold = 0 }
    }

    /// Says it at the end, past the lines that there is no room behind.
    @inline(never)
    mutating func tellLastLosses() {
        tellLosses()
        if untold > 0 { _ = send(lossRecord, over: link.words) }
    }

    private var lossRecord: Message {
        Message(.line, level: SyslogLevel.warning, number: UInt32(clamping: untold), text: .lost(untold))
    }

    /// Tells the writer that all is ready.
    func notifyReady() throws(SystemError) {
        _ = try link.words.send(Message(.ready))
    }

    /// Tells the writer that we live, and how.
    func sendHeartbeat(_ status: LogLine) {
        _ = send(Message(.heartbeat, text: status), over: link.words)
    }

    /// The next word of the writer.
    func nextWord(_ word: inout Message) throws(SystemError) -> MessageChannel.Received {
        try link.words.receive(&word)
    }

    /// Sends it if there is room. That the writer is gone is found out by waiting for it.
    @inline(never)
    private func send(_ record: Message, over channel: borrowing MessageChannel) -> Bool {
        do throws(SystemError) {
            return try channel.send(record)
        } catch {
            return false
        }
    }
}
