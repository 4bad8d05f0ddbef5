import CLinux
import ScanCore

/// A directory to be the root directory, in which nobody but root can have put anything.
///
/// It is opened first, and everything done to what was opened: it can't be changed for another between the check and
/// the use.
package struct ChrootDirectory: ~Copyable {
    private let descriptor: Descriptor
    private let path: CString

    /// Opens and checks the directory; a symbolic link is none.
    package init(_ path: CString) throws(SystemError) {
        let number = try check(path, "open") {
            unsafe clinux_open(path.pointer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        }
        let descriptor = Descriptor(owning: number)
        let status = try fileStatus(of: number, path)
        if status.st_uid != 0 { throw SystemError(path, "check", because: "not owned by root") }
        if status.st_mode & 0o022 != 0 { throw SystemError(path, "check", because: "writable by others than root") }
        self.descriptor = descriptor
        self.path = path
    }

    /// Locks the process into the directory.
    package consuming func enter() throws(SystemError) {
        _ = try check(path, "enter") { fchdir(descriptor.number) }
        _ = try check(path, "chroot") { unsafe chroot(".") }
    }
}

/// The directory that the daemon locks itself into.
package func openChrootDirectory() throws(SystemError) -> ChrootDirectory {
    try ChrootDirectory(CString(Parameters.chrootDirectory))
}
