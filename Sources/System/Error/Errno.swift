import CLinux

/// The error numbers that something depends on (errno(3)), by the names that Swift System has for them.
package enum Errno {
    package static var badFileDescriptor: Int32 { EBADF }
    package static var brokenPipe: Int32 { EPIPE }
    package static var interrupted: Int32 { EINTR }
    package static var invalidArgument: Int32 { EINVAL }
    package static var noSuchDevice: Int32 { ENODEV }
    package static var noSuchFileOrDirectory: Int32 { ENOENT }
    package static var notPermitted: Int32 { EPERM }
    package static var wouldBlock: Int32 { EAGAIN }

    /// The reason in words (strerror(3)).
    package static func text(of number: Int32) -> CString { unsafe CString(unsafe: strerror(number)) }

    /// That of the call that has just failed.
    package static var last: Int32 { clinux_errno() }
}
