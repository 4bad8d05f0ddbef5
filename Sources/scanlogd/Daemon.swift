import Capture
import CLinux

/// Opens /dev/null.
func openNullDevice() throws(SystemError) -> Descriptor {
    Descriptor(owning: try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0) })
}

/// Makes sure that descriptors 0 to 2 are taken: else a socket would take the place of one, and messages meant for a
/// terminal would go into it. To read or write what was closed still fails, as it should: with EBADF (O_PATH).
func openStandardDescriptors() throws(SystemError) {
    while true {
        let lowestFree = try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_PATH, 0) }
        if lowestFree > STDERR_FILENO {
            close(lowestFree)
            return
        }
    }
}

/// Lets go of what standard input, output and error were.
func replaceStandardDescriptors(by nullDevice: borrowing Descriptor) throws(SystemError) {
    for descriptor in STDIN_FILENO...STDERR_FILENO {
        _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, descriptor) }
    }
}

#if Pcap
    /// Closes all descriptors but the standard ones and one more, and those below the number that this one is given, which
    /// is returned.
    func keepOnly(_ descriptor: Int32, as number: Int32 = STDERR_FILENO + 1) -> Int32 {
        if dup2(descriptor, number) < 0 { _exit(1) }
        closefrom(number + 1)
        return number
    }
#endif

/// Ends a value before its scope does: in this process it is not needed any more.
func letGo<Value: ~Copyable>(_ value: consuming Value) {}

/// The way to the background: a child with a session of its own, whose parent waits until the child is ready.
struct Launch: ~Copyable {
    /// Where the parent waits. It is closed when a child that failed, and said why, ends.
    private let toParent: Descriptor
    /// What becomes of the terminal.
    private let nullDevice: Descriptor

    /// Goes on in the child. The parent exits with 0 once the child says that it is ready, and with 1 if it ends before.
    init() throws(SystemError) {
        let ends = unsafe try makePair("background", "make pipe") { unsafe pipe2($0, O_CLOEXEC) }
        let fromChild = Descriptor(owning: ends[0])
        let toParent = Descriptor(owning: ends[1])
        let child = try check("background", "fork", fork)
        if child > 0 {
            close(toParent.number)
            var word: UInt8 = 0
            if unsafe read(fromChild.number, &word, 1) == 1 { _exit(0) }
            _ = waitpid(child, nil, 0)  // what has failed is gone when we say so
            _exit(1)
        }
        _ = try check("background", "start session") { setsid() }
        #if Pcap
            // Whoever ends the parent means us, while we start; and that may take long.
            _ = try check("background", "end with parent") { clinux_die_with_parent() }
        #endif
        nullDevice = try openNullDevice()
        self.toParent = toParent
    }

    @inline(never)  // for it would stand wherever a start may end
    deinit {}

    /// Lets go of the terminal and says that all is ready: last, when nothing else is left that can fail.
    consuming func finish() throws(SystemError) {
        try replaceStandardDescriptors(by: nullDevice)
        var word: UInt8 = 0
        _ = try check("background", "say so") { unsafe Int32(write(toParent.number, &word, 1)) }
    }
}
