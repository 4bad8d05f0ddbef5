import Capture
import CLinux

/// What a descriptor is of (fstat(2)).
@inline(__always)  // a call of it, and of what it throws, takes more room than it does
func fileStatus(of descriptor: Int32, _ name: ConstantText) throws(SystemError) -> stat {
    var status = stat()
    _ = try check(name, "stat") { unsafe fstat(descriptor, &status) }
    return status
}

#if Pcap
    /// Refuses to write into a file that is there for something else too, whatever it is called there.
    ///
    /// - Parameters:
    ///   - descriptor: what is to be written to.
    ///   - name: what it is called.
    ///   - operation: what is to be written.
    ///   - other: what it must not be; -1: nothing.
    ///   - reason: what that is.
    func refuse(
        _ descriptor: Int32, _ name: ConstantText, _ operation: ConstantText, sameAs other: Int32,
        _ reason: ConstantText
    ) throws(SystemError) {
        if other < 0 { return }
        let (one, another) = (try fileStatus(of: descriptor, name), try fileStatus(of: other, name))
        if one.isRegularFile && one.st_dev == another.st_dev && one.st_ino == another.st_ino {
            throw SystemError(name, operation, because: reason)
        }
    }

    extension ConstantText {
        static var writeLines: ConstantText { "write lines" }
        static var writeProcessID: ConstantText { "write process id" }
        static var isCaptureFile: ConstantText { "it is what --read reads" }
        static var isPidFile: ConstantText { "it is the file of -P" }
    }
#endif

extension stat {
    /// Whether it is a regular file.
    var isRegularFile: Bool { st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) }
}
