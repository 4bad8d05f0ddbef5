import CLinux

/// The status of an open file (fstat(2)).
@inline(__always)  // a call to it, with its error handling, takes more code than its body
package func fileStatus(of descriptor: Int32, _ name: CString) throws(SystemError) -> stat {
    var status = stat()
    _ = try check(name, "stat") { unsafe fstat(descriptor, &status) }
    return status
}

/// Throws if a file to be written is one that is also used for something else, even under another name.
///
/// - Parameters:
///   - descriptor: the file to be written.
///   - name: its name in error messages.
///   - operation: the operation in error messages.
///   - other: the descriptor of the other file; -1: none.
///   - reason: the error message.
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

    /// Whether both describe the same file.
    func isSameFile(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }
}
