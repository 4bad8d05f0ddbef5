import CLinux

/// An open file descriptor, closed when its value ends.
@frozen public struct Descriptor: ~Copyable {
    /// The number the kernel knows it by.
    public let number: Int32

    /// Takes over a descriptor that nothing else will close.
    public init(owning number: Int32) {
        self.number = number
    }

    /// The place of a file, to be compared with others and nothing else (open(2), O_PATH).
    package init(locating path: CString) throws(SystemError) {
        number = try check(path, "open") { unsafe clinux_open(path.pointer, O_PATH | O_CLOEXEC, 0) }
    }

    /// The same open file under a number of our choice, of which nothing else is known any more (dup2(2)).
    package init(duplicating other: borrowing Descriptor, as number: Int32) throws(SystemError) {
        self.number = try check("descriptors", "duplicate") { dup2(other.number, number) }
    }

    /// The number, for somebody else to close.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        close(number)
    }
}
