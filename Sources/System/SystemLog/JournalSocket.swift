import CLinux
import ScanCore

/// The native socket of systemd's journal.
enum JournalSocket {
    /// Its path (systemd-journald.service(8)).
    private static var path: CString { "/run/systemd/journal/socket" }

    /// Sends an event, within about half a second.
    ///
    /// Connected anew each time, as no answer would tell that the journal has made another socket in its place.
    ///
    /// - Returns: ``SystemLog/Outcome/absent`` if there is no journal.
    static func send(_ text: JournalText) -> SystemLog.Outcome {
        do throws(SystemError) {
            let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
            let opened = Descriptor(owning: try check(path, "make socket") { socket(AF_UNIX, type, 0) })
            _ = try check(path, "connect") { unsafe clinux_connect_local(opened.number, path.pointer) }
            let bytes = text.bytes.span.extracting(0..<text.count)
            if unsafe FileWriting.writeImpatiently(bytes.bytes, to: opened.number) == text.count { return .arrived }
            return Errno.last == Errno.interrupted ? .full : .absent
        } catch {
            return .absent
        }
    }
}
