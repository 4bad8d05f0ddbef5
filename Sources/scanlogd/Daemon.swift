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

/// Goes on in the background: in a child with a session of its own and no terminal. The parent exits with 0 once the
/// child is there, with its process id in the file, and with 1 if it can't be.
///
/// Called last, when nothing else is left that can fail: the parent's exit status says that we are running.
///
/// - Parameters:
///   - nullDevice: what standard input, output and error become.
///   - pidFile: where the process id goes.
func goToBackground(nullDevice: borrowing Descriptor, pidFile: borrowing PidFile?) throws(SystemError) {
    var ends: InlineArray<2, Int32> = [-1, -1]
    var pipeEnds = ends.mutableSpan
    _ = try check("background", "make pipe") {
        unsafe pipeEnds.withUnsafeMutableBufferPointer { buffer in
            guard let first = buffer.baseAddress else { return -1 }
            return unsafe pipe2(first, O_CLOEXEC)
        }
    }
    let parentEnd = Descriptor(owning: ends[0])
    let childEnd = Descriptor(owning: ends[1])
    var ready: UInt8 = 0
    if try check("background", "fork", fork) > 0 {
        close(childEnd.number)  // so that the end of a child that failed, and said why, is the end of the pipe
        let isReady = unsafe read(parentEnd.number, &ready, 1) == 1
        _exit(isReady ? 0 : 1)
    }
    _ = try check("background", "start session") { setsid() }
    try pidFile?.write(getpid())
    for descriptor in STDIN_FILENO...STDERR_FILENO {
        _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, descriptor) }
    }
    _ = try check("background", "say so") { unsafe Int32(write(childEnd.number, &ready, 1)) }
}
