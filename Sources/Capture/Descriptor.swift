import CLinux

/// An open file descriptor, closed when its value ends.
public struct Descriptor: ~Copyable {
    /// The number the kernel knows it by.
    public let number: Int32

    /// Takes over a descriptor that nothing else will close.
    public init(owning number: Int32) {
        self.number = number
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        close(number)
    }
}
