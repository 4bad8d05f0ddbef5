import CLinux

/// What a descriptor is of (fstat(2)).
@inline(__always)  // a call of it, and of what it throws, takes more room than it does
package func fileStatus(of descriptor: Int32, _ name: CString) throws(SystemError) -> stat {
    var status = stat()
    _ = try check(name, "stat") { unsafe fstat(descriptor, &status) }
    return status
}

/// Refuses to write into a file that is there for something else too, whatever it is called there.
///
/// - Parameters:
///   - descriptor: what is to be written to.
///   - name: what it is called.
///   - operation: what is to be written.
///   - other: what it must not be; -1: nothing.
///   - reason: what that is.
package func requireAnotherFile(
    _ descriptor: Int32, _ name: CString, _ operation: CString, than other: Int32,
    _ reason: CString
) throws(SystemError) {
    if other < 0 { return }
    let (one, another) = (try fileStatus(of: descriptor, name), try fileStatus(of: other, name))
    if one.isRegularFile && one.isSameFile(as: another) {
        throw SystemError(name, operation, because: reason)
    }
}

extension CString {
    package static var writeLines: CString { "write lines" }
    package static var writeProcessID: CString { "write process id" }
    package static var isCaptureFile: CString { "it is what --read reads" }
    package static var isPidFile: CString { "it is the file of -P" }
}

/// Whether there is a directory at a path (stat(2)).
package func directoryExists(_ path: CString) -> Bool {
    var status = stat()
    return unsafe stat(path.pointer, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
}

extension stat {
    /// Whether it is a regular file.
    package var isRegularFile: Bool { st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) }

    /// Whether both are of one file.
    func isSameFile(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }
}
