import CLinux

/// The error numbers that the code distinguishes (errno(3)), with the names of Swift System.
package enum Errno {
    package static var badFileDescriptor: Int32 { EBADF }
    package static var brokenPipe: Int32 { EPIPE }
    package static var interrupted: Int32 { EINTR }
    package static var invalidArgument: Int32 { EINVAL }
    package static var noSuchDevice: Int32 { ENODEV }
    package static var noSuchFileOrDirectory: Int32 { ENOENT }
    package static var notPermitted: Int32 { EPERM }
    package static var wouldBlock: Int32 { EAGAIN }

    /// The description of an error number (strerror(3)).
    package static func text(of number: Int32) -> CString { unsafe CString(unsafe: strerror(number)) }

    /// The error number of the call that has just failed.
    package static var last: Int32 { clinux_errno() }
}
