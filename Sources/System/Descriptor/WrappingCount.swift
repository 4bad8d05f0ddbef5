/// A 64-bit total of a 32-bit kernel counter, which wraps around.
package struct WrappingCount {
    package private(set) var total: UInt64 = 0
    private var last: UInt32 = 0

    /// Zero.
    package init() {}

    /// Adds the increase of the kernel's counter since the last update.
    package mutating func update(_ now: UInt32) {
        total &+= UInt64(now &- last)  // wrapping is intended: the difference is right across the kernel's wraparound
        last = now
    }
}
