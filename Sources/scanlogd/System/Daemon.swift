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
