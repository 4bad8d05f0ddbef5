/// Adds up a count that the kernel keeps in 32 bits, which wrap.
package struct WrappingCount {
    package private(set) var total: UInt64 = 0
    private var last: UInt32 = 0

    /// Zero.
    package init() {}

    /// Takes the kernel's count as it is now.
    package mutating func update(_ now: UInt32) {
        total &+= UInt64(now &- last)  // wrapping is meant: the difference is right across the kernel's wrap
        last = now
    }
}
