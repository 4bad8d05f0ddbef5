import CLinux

/// The socket of the system log, examined independently of syslog(3), which does not report whether a line was
/// delivered.
package enum LogSocket {
    /// The identity of the socket: a restarted syslogd creates a new one in its place.
    package struct Identity: Equatable {
        fileprivate let device: dev_t
        fileprivate let file: ino_t
        fileprivate let changed: Int
        fileprivate let changedNanoseconds: Int

        package static func == (one: Identity, other: Identity) -> Bool {
            one.device == other.device && one.file == other.file && one.changed == other.changed
                && one.changedNanoseconds == other.changedNanoseconds
        }
    }

    /// Its path: _PATH_LOG.
    package static var path: CString { "/dev/log" }

    /// The identity of the socket on which a system log currently receives messages.
    ///
    /// - Throws: if there is none, or it can't be reached.
    package static func identity() throws(SystemError) -> Identity {
        let identity = try identify()
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let probe = Descriptor(owning: try check(path, "make socket") { socket(AF_UNIX, type, 0) })
        do throws(SystemError) {
            _ = try check(path, "connect") { unsafe clinux_connect_local(probe.number, path.pointer) }
        } catch {
            // A stream socket, which syslog(3) supports too.
            if error.code != EPROTOTYPE { throw error }
        }
        return identity
    }

    private static func identify() throws(SystemError) -> Identity {
        var status = stat()
        _ = try check(path, "find") { unsafe stat(path.pointer, &status) }
        return Identity(
            device: status.st_dev, file: status.st_ino, changed: status.st_ctim.tv_sec,
            changedNanoseconds: status.st_ctim.tv_nsec)
    }
}
