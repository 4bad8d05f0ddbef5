import Capture
import CLinux

/// Makes a directory the root directory, if nobody but root can have put anything there.
///
/// The directory is opened first, and everything done to what was opened, so that it can't be changed for another
/// between the check and the use.
func enterChroot(_ path: ConstantText) throws(SystemError) {
    let number = try check(path, "open") {
        unsafe clinux_open(path.pointer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    }
    let directory = Descriptor(owning: number)
    var status = stat()
    _ = try check(path, "stat") { unsafe fstat(directory.number, &status) }
    if status.st_uid != 0 { throw SystemError(path, "check", because: "not owned by root") }
    if status.st_mode & 0o022 != 0 {
        throw SystemError(path, "check", because: "writable by others than root")
    }
    _ = try check(path, "enter") { fchdir(directory.number) }
    _ = try check(path, "chroot") { unsafe chroot(".") }
}
