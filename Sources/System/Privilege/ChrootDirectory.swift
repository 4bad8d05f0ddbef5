import CLinux
import ScanCore

/// A directory to change the root to, in which only root can have created anything.
///
/// It is opened first, and checked and entered through its descriptor, so that it can't be replaced between check and
/// use.
package struct ChrootDirectory: ~Copyable {
    private let descriptor: Descriptor
    private let path: CString

    /// Opens and checks the directory; a symbolic link is refused.
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

    /// Changes the root of the process to the directory.
    package consuming func enter() throws(SystemError) {
        _ = try check(path, "enter") { fchdir(descriptor.number) }
        _ = try check(path, "chroot") { unsafe chroot(".") }
    }
}

/// Opens the directory that the daemon changes its root to.
package func openChrootDirectory() throws(SystemError) -> ChrootDirectory {
    try ChrootDirectory(CString(Parameters.chrootDirectory))
}
