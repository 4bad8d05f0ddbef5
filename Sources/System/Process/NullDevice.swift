import CLinux

/// Opens /dev/null.
package func openNullDevice() throws(SystemError) -> Descriptor {
    Descriptor(owning: try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0) })
}

/// Ensures that descriptors 0 to 2 are open: otherwise a socket could take one of these numbers, and receive messages
/// meant for a terminal. Reading or writing one that was closed still fails with EBADF, as it should (O_PATH).
/// A program that takes the place of this one finds them closed again.
package func openStandardDescriptors() throws(SystemError) {
    for number in STDIN_FILENO...STDERR_FILENO where !FileWriting.isSameFile(number, number) {
        let lowestFree = try check("/dev/null", "open") { unsafe clinux_open("/dev/null", O_PATH | O_CLOEXEC, 0) }
        precondition(lowestFree == number)
    }
}

/// Replaces standard input, output and error.
package func replaceStandardDescriptors(by nullDevice: borrowing Descriptor) throws(SystemError) {
    for descriptor in STDIN_FILENO...STDERR_FILENO { try replace(descriptor, by: nullDevice) }
}

/// Replaces one of them.
package func replace(_ descriptor: Int32, by nullDevice: borrowing Descriptor) throws(SystemError) {
    _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, descriptor) }
}

/// Moves a descriptor to a number, which is returned, and closes all above. The standard descriptors, and others below
/// that number, stay open.
package func closeAllExcept(_ descriptor: Int32, as number: Int32 = STDERR_FILENO + 1) -> Int32 {
    if dup2(descriptor, number) < 0 { _exit(1) }
    closefrom(number + 1)
    return number
}

/// Destroys a value before the end of its scope, when this process no longer needs it.
package func drop<Value: ~Copyable>(_ value: consuming Value) {}
