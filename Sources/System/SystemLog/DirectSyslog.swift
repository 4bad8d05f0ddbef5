import CLinux
import ScanCore

/// A way of its own to the system log, for one line: when whoever else brings lines there is gone.
///
/// Not by syslog(3): where that finds that syslogd was started anew it makes a socket, which the filter of system calls
/// forbids.
package struct DirectSyslog: ~Copyable {
    /// Connected to the log, if somebody listened there for datagrams.
    private let socket: Descriptor?

    /// To be made while the log's socket can be reached.
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

    /// Logs a line, without a promise.
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
