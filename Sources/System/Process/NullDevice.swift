import CLinux

/// Opens /dev/null.
package func openNullDevice() throws(SystemError) -> Descriptor {
    Descriptor(owning: try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0) })
}

/// Makes sure that descriptors 0 to 2 are taken: else a socket would take the place of one, and messages meant for a
/// terminal would go into it. To read or write what was closed still fails, as it should: with EBADF (O_PATH).
package func openStandardDescriptors() throws(SystemError) {
    while true {
        let lowestFree = try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_PATH, 0) }
        if lowestFree > STDERR_FILENO {
            close(lowestFree)
            return
        }
    }
}

/// Lets go of what standard input, output and error were.
package func replaceStandardDescriptors(by nullDevice: borrowing Descriptor) throws(SystemError) {
    for descriptor in STDIN_FILENO...STDERR_FILENO { try replace(descriptor, by: nullDevice) }
}

/// Lets go of what one of them was.
package func replace(_ descriptor: Int32, by nullDevice: borrowing Descriptor) throws(SystemError) {
    _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, descriptor) }
}

/// Closes all descriptors but the standard ones and one more, and those below the number that this one is given, which
/// is returned.
package func closeAllExcept(_ descriptor: Int32, as number: Int32 = STDERR_FILENO + 1) -> Int32 {
    if dup2(descriptor, number) < 0 { _exit(1) }
    closefrom(number + 1)
    return number
}

/// Ends a value before its scope does: in this process it is not needed any more.
package func drop<Value: ~Copyable>(_ value: consuming Value) {}
