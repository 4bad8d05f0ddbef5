import CLinux
import ScanCore

/// A type of which a value is there, and empty, in memory that is all zero.
package protocol Zeroable: ~Copyable {}

/// A large value in pages of its own, which the kernel gives when they are first written to: a quiet host needs few.
///
/// Safe: the memory is private, of the value's size, aligned to a page, and nobody else's for as long as the process
/// lives. It is zero, so nothing has to be written to it for it to be an empty value.
@safe package struct ZeroedPages<Value: Zeroable & ~Copyable>: ~Copyable {
    private let memory: UnsafeMutablePointer<Value>

    /// An empty value.
    ///
    /// - Parameter name: what an error calls it.
    package init(_ name: CString) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(MemoryLayout<Value>.size) else { throw SystemError(name, "map") }
        unsafe self.memory = memory.bindMemory(to: Value.self, capacity: 1)
    }

    /// The value, in its place.
    package var value: Value {
        _read { yield unsafe memory.pointee }
        nonmutating _modify { yield unsafe &memory.pointee }
    }
}
