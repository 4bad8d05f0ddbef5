import CLinux
import ScanCore

/// A separate connection to the system log, for one line: used when the process that forwards lines there has ended.
///
/// Not by syslog(3): if syslogd was restarted, that creates a socket, which the system-call filter forbids.
package struct DirectSyslog: ~Copyable {
    /// The connected socket, if the log accepts datagrams.
    private let socket: Descriptor?

    /// Must be created while the log's socket can be reached.
    package init() {
        do throws(SystemError) {
            let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let name = LogSocket.path
            let opened = Descriptor(owning: try check(name, "make socket") { CLinux.socket(AF_UNIX, type, 0) })
            _ = try check(name, "connect") { unsafe clinux_connect_local(opened.number, name.pointer) }
            socket = consume opened
        } catch {
            socket = nil
        }
    }

    /// Logs a line; failures are ignored.
    package func log(_ line: LogLine, level: Int32) {
        var datagram = LogLine("<")
        datagram.append(decimal: UInt64(Parameters.syslogFacility << 3 | level))
        datagram.append(">")
        datagram.append(CString(Parameters.syslogIdent))
        datagram.append(": ")
        datagram.append(line)
        switch socket {
        case .some(let open):
            _ = unsafe datagram.bytes.span.withUnsafeBytes {
                unsafe send(open.number, $0.baseAddress, datagram.count, Int32(MSG_NOSIGNAL))
            }
        case .none: break
        }
    }
}
