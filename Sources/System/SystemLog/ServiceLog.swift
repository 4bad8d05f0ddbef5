import CLinux
import ScanCore

/// The system log under the name of a service, with the process id, as the service would write to it.
package struct ServiceLog {
    /// The facility daemon, and others, as syslog(3) has them.
    package static var daemonFacility: Int32 { LOG_DAEMON >> 3 }

    /// Begins to log under a name. The connection is made with the first line, and no program inherits it.
    ///
    /// - Parameter name: its text must stay as it is.
    package init(_ name: CString) {
        unsafe openlog(name.pointer, LOG_PID, LOG_DAEMON)
    }

    /// Logs a line, for half a second at most.
    package func write(_ line: LogLine, level: Int32, facility: Int32 = ServiceLog.daemonFacility) {
        var line = line
        line.replaceControls()
        unsafe line.bytes.span.withUnsafeBytes { bytes in
            let text = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = unsafe clinux_syslog_in_passing(facility << 3 | level, text, Int32(line.count))
        }
    }
}
