import CLinux
import ScanCore

/// An unpredictable number from the kernel's random number generator (getentropy(3)).
package func randomNumber() throws(SystemError) -> UInt32 {
    var number: UInt32 = 0
    _ = try check("random numbers", "get") { unsafe getentropy(&number, MemoryLayout<UInt32>.size) }
    return number
}

extension HashKey {
    /// An unpredictable key from the kernel's random number generator (getentropy(3)).
    package static func random() throws(SystemError) -> HashKey {
        var words = InlineArray<5, UInt64>(repeating: 0)
        var span = words.mutableSpan
        _ = try check("random numbers", "get") {
            unsafe span.withUnsafeMutableBytes { unsafe Int32(getentropy($0.baseAddress, $0.count)) }
        }
        return HashKey(words)
    }
}
