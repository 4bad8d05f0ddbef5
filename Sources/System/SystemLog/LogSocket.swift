import CLinux

/// The socket of the system log, looked at from outside syslog(3), which does not tell whether a line arrived.
package enum LogSocket {
    /// Which socket it is: a syslogd that is started again makes a new one in the place of the old.
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

    /// Where it is: _PATH_LOG.
    package static var path: CString { "/dev/log" }

    /// The socket on which a system log receives messages now.
    ///
    /// - Throws: why there is none, or why it can't be reached.
    package static func identity() throws(SystemError) -> Identity {
        let identity = try identify()
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let probe = Descriptor(owning: try check(path, "make socket") { socket(AF_UNIX, type, 0) })
        do throws(SystemError) {
            _ = try check(path, "connect") { unsafe clinux_connect_local(probe.number, path.pointer) }
        } catch {
            // Somebody listens for streams, which syslog(3) also speaks.
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
