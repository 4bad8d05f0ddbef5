import Capture
import CLinux
import ScanCore

/// Our voice in syslog(3).
struct SystemLog {
    /// Connects to syslogd at once: its socket can't be reached from inside the chroot.
    ///
    /// - Parameter copyToStandardError: whether each line goes there as well.
    init(copyToStandardError: Bool) {
        let option = LOG_NDELAY | (copyToStandardError ? LOG_PERROR : 0)
        let ident = ConstantText(Parameters.syslogIdent)
        unsafe openlog(ident.pointer, option, Parameters.syslogFacility << 3)
    }

    /// Logs a report, or the line in place of one.
    func report(_ line: LogLine) {
        write(line, level: Parameters.reportLevel)
    }

    /// Logs what an administrator should look after.
    func warn(_ line: LogLine) {
        write(line, level: LOG_WARNING)
    }

    /// Logs a change that is no fault of ours.
    func notice(_ line: LogLine) {
        write(line, level: LOG_NOTICE)
    }

    /// Logs what is good to know.
    func inform(_ line: LogLine) {
        write(line, level: LOG_INFO)
    }

    private func write(_ line: LogLine, level: Int32) {
        unsafe line.bytes.span.withUnsafeBytes { bytes in
            unsafe clinux_syslog(
                level, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(line.count))
        }
    }
}
