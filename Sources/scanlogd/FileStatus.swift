import Capture
import CLinux

/// What a descriptor is of (fstat(2)).
@inline(__always)  // a call of it, and of what it throws, takes more room than it does
func fileStatus(of descriptor: Int32, _ name: ConstantText) throws(SystemError) -> stat {
    var status = stat()
    _ = try check(name, "stat") { unsafe fstat(descriptor, &status) }
    return status
}

extension stat {
    /// Whether it is a regular file.
    var isRegularFile: Bool { st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) }
}
