import Capture
import ScanCore
import System

/// Remedies for errors of a start: those of scanlogd(8), DIAGNOSTICS, shortened to fit into a table.
struct Remedy {
    /// The prefix of the error's line: object and operation, or the object alone.
    private let start: CString
    /// The error number of the reason; 0: any reason.
    private let code: Int32
    private let advice: CString

    private init(_ start: CString, _ code: Int32, _ advice: CString) {
        self.start = start
        self.code = code
        self.advice = advice
    }

    /// The first match wins.
    private static var all: InlineArray<22, Remedy> {
        [
            Remedy("user: check: ", "run it as root, as a start has to be"),
            Remedy("scanlogd: look up user: no", "useradd --system --user-group scanlogd"),
            Remedy("scanlogd: become user: its primary", "groupadd --system scanlogd; usermod --gid scanlogd scanlogd"),
            Remedy("scanlogd: become user: ", "give it ids that nothing else uses"),
            Remedy("/var/empty: open: ", "install -d -m 755 -o root -g root /var/empty"),
            Remedy("/var/empty: check: ", "chown root:root /var/empty; chmod 755 /var/empty"),
            Remedy("/var/empty: chroot: ", Errno.notPermitted, "give it CAP_SYS_CHROOT"),
            Remedy("privileges: empty bounding set: ", Errno.notPermitted, "give it CAP_SETPCAP"),
            Remedy(
                "privileges: set supplementary", Errno.notPermitted,
                "give it CAP_SETGID, and start it outside a user namespace"),
            Remedy("privileges: set group: ", Errno.notPermitted, "give it CAP_SETGID"),
            Remedy("privileges: set user: ", Errno.notPermitted, "give it CAP_SETUID"),
            Remedy(
                "privileges: set ", Errno.invalidArgument, "start it outside this user namespace, which has no such id"),
            Remedy("packet socket: open: ", Errno.notPermitted, "give it CAP_NET_RAW"),
            Remedy(
                "packet socket: open: ", "use a kernel with packet sockets, or --backend raw, which a firewall blinds"),
            Remedy("libpcap: load: ", "install libpcap (Debian's package libpcap0.8)"),
            Remedy("libnids: load: ", "install libnids (Debian's package libnids1.21)"),
            Remedy("/dev/log: ", "start a syslog daemon, or systemd-journald"),
            Remedy("system-call filter: look: ", "Linux 4.14 or later, on x86-64 or arm64"),
            Remedy("system-call filter: ", "let its container or service manager permit seccomp(2)"),
            Remedy("Landlock: look: ", "Linux 5.13 or later, with landlock among its security modules"),
            Remedy("step: start: killed", "widen the filter of system calls that it is started under"),
            Remedy("", Errno.noSuchDevice, "name an interface that is there; ip link shows them"),
        ]
    }

    /// The remedy for an error.
    ///
    /// - Parameters:
    ///   - error: the text of the error, `object: operation: reason`.
    ///   - standard: the text to return if none matches.
    static func advice(for error: LogLine, or standard: CString) -> CString {
        let all = all
        for index in all.indices where all[index].fits(error) { return all[index].advice }
        return standard
    }

    private func fits(_ error: LogLine) -> Bool {
        if !Self.has(error, start, at: 0) { return false }
        if code == 0 { return true }
        let reason = Errno.text(of: code)
        return Self.has(error, reason, at: error.count - reason.count)
    }

    /// Whether a line contains a text at an offset.
    private static func has(_ line: LogLine, _ words: CString, at first: Int) -> Bool {
        var (index, next) = unsafe (first, words.pointer)
        while unsafe next.pointee != 0 {
            if index < 0 || index >= line.count { return false }
            if unsafe line.bytes[index] != UInt8(bitPattern: next.pointee) { return false }
            index += 1
            unsafe next += 1
        }
        return true
    }
}

extension Remedy {
    private init(_ start: CString, _ advice: CString) { self.init(start, 0, advice) }
}
