import Capture
import CLinux

/// Opens /dev/null, which the chroot does not have.
func openNullDevice() throws(SystemError) -> Descriptor {
    Descriptor(owning: try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_RDWR, 0) })
}

/// Makes sure that descriptors 0 to 2 are open: else a socket would take the place of one, and messages meant for a
/// terminal would go into it.
func openStandardDescriptors() throws(SystemError) {
    while true {
        let lowestFree = try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_RDWR, 0) }
        if lowestFree > STDERR_FILENO {
            close(lowestFree)
            return
        }
    }
}

/// Goes on in the background: in a child with a session of its own and no terminal, while the parent exits with 0.
///
/// Called last, when nothing is left that can fail: the parent's exit status says that we are running.
///
/// - Parameters:
///   - nullDevice: what standard input, output and error become.
///   - pidFile: where the child's process id stands before the parent exits.
func goToBackground(nullDevice: borrowing Descriptor, pidFile: borrowing PidFile?) throws(SystemError) {
    let child = try check("background", "fork") { fork() }
    if child > 0 {
        do throws(SystemError) {
            try pidFile?.write(child)
        } catch {
            kill(child, SIGKILL)
            throw error
        }
        _exit(0)
    }
    _ = try check("background", "start session") { setsid() }
    for descriptor in STDIN_FILENO...STDERR_FILENO {
        _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, descriptor) }
    }
}
