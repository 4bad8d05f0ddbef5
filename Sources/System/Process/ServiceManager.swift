import CLinux
import ScanCore

/// The service manager that started us, if it wants to be told how we are (sd_notify(3)).
package struct ServiceManager: ~Copyable {
    private let socket: Descriptor?

    /// How often it wants to hear of us, in nanoseconds; `nil`: never.
    package let interval: Int64?

    /// How often our counters are told where nobody guards us, in nanoseconds.
    private static let statusInterval: Int64 = 60_000_000_000

    /// Connects to the socket that the environment names, if it names one.
    ///
    /// - Throws: that it can't be reached.
    package init() throws(SystemError) {
        guard let name = unsafe getenv("NOTIFY_SOCKET") else {
            socket = nil
            interval = nil
            return
        }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Descriptor(
            owning: try check("NOTIFY_SOCKET", "make socket") { CLinux.socket(AF_UNIX, type, 0) })
        _ = try check("NOTIFY_SOCKET", "connect") { unsafe clinux_connect_local(descriptor.number, name) }
        socket = consume descriptor
        // Often enough that it takes three lost ones for the manager to think us dead.
        interval = ServiceManager.watchdogTime.map { max($0 / 3, 1_000_000) } ?? ServiceManager.statusInterval
    }

    /// Nobody to be told.
    package init(none: Void) {
        socket = nil
        interval = nil
    }

    /// After how many nanoseconds without a word it takes us for dead, if it does.
    private static var watchdogTime: Int64? {
        guard let time = unsafe getenv("WATCHDOG_USEC") else { return nil }
        if let process = unsafe getenv("WATCHDOG_PID"), unsafe strtol(process, nil, 10) != Int(getpid()) { return nil }
        let microseconds = unsafe strtoll(time, nil, 10)
        return microseconds > 0 && microseconds < Int64.max / 1000 ? Int64(microseconds) * 1000 : nil
    }

    /// Says that we are ready.
    package func notifyReady() {
        var message = LogLine("READY=1\nMAINPID=")
        message.append(decimal: UInt32(getpid()))
        send(message)
    }

    /// Says that we are ending.
    package func notifyStopping() {
        send(LogLine("STOPPING=1"))
    }

    /// Says that the sensor lives, and how it is.
    package func notifyAlive(_ status: LogLine) {
        var message = LogLine("WATCHDOG=1\nSTATUS=")
        message.append(status)
        send(message)
    }

    /// A message that it does not take is not sent again: the next one says more.
    private func send(_ message: LogLine) {
        switch socket {
        case .some(let descriptor):
            _ = unsafe message.bytes.span.withUnsafeBytes {
                unsafe write(descriptor.number, $0.baseAddress, message.count)
            }
        case .none: break
        }
    }
}
