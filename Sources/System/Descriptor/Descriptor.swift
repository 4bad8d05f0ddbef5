import CLinux

/// An open file descriptor, closed at the end of its lifetime.
@frozen public struct Descriptor: ~Copyable {
    /// The descriptor number.
    public let number: Int32

    /// Takes ownership of a descriptor.
    public init(owning number: Int32) {
        self.number = number
    }

    /// Opens a path only for comparison with other files (open(2), O_PATH).
    package init(locating path: CString) throws(SystemError) {
        number = try check(path, "open") { unsafe clinux_open(path.pointer, O_PATH | O_CLOEXEC, 0) }
    }

    /// Duplicates a descriptor to a given number, which no other owner may hold (dup2(2)).
    package init(duplicating other: borrowing Descriptor, as number: Int32) throws(SystemError) {
        self.number = try check("descriptors", "duplicate") { dup2(other.number, number) }
    }

    /// Releases ownership: the caller must close the number.
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
