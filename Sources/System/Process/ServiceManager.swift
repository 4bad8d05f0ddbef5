import CLinux
import ScanCore

/// The service manager that started this process, if it accepts notifications (sd_notify(3)).
package struct ServiceManager: ~Copyable {
    private let socket: Descriptor?

    /// The interval of notifications, in nanoseconds; `nil`: none are sent.
    package let interval: Int64?

    /// The interval of status notifications without a watchdog, in nanoseconds.
    private static let statusInterval: Int64 = 60_000_000_000

    /// Connects to the socket that the environment names, if it names one.
    ///
    /// - Throws: if it can't be reached.
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
        // Often enough that the watchdog only fires after three lost notifications.
        interval = ServiceManager.watchdogTime.map { max($0 / 3, 1_000_000) } ?? ServiceManager.statusInterval
    }

    /// No service manager.
    package init(none: Void) {
        socket = nil
        interval = nil
    }

    /// The watchdog timeout in nanoseconds, if a watchdog is enabled for this process.
    private static var watchdogTime: Int64? {
        guard let time = unsafe getenv("WATCHDOG_USEC") else { return nil }
        if let process = unsafe getenv("WATCHDOG_PID"), unsafe strtol(process, nil, 10) != Int(getpid()) { return nil }
        let microseconds = unsafe strtoll(time, nil, 10)
        return microseconds > 0 && microseconds < Int64.max / 1000 ? Int64(microseconds) * 1000 : nil
    }

    /// Notifies that the daemon is ready.
    package func notifyReady() {
        var message = LogLine("READY=1\nMAINPID=")
        message.append(decimal: UInt32(getpid()))
        send(message)
    }

    /// Notifies that the daemon is stopping.
    package func notifyStopping() {
        send(LogLine("STOPPING=1"))
    }

    /// Notifies that the sensor is alive, with its status.
    package func notifyAlive(_ status: LogLine) {
        var message = LogLine("WATCHDOG=1\nSTATUS=")
        message.append(status)
        send(message)
    }

    /// A notification that can't be sent is dropped: the next one has newer data.
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
