import CLinux
import ScanCore

/// A type whose all-zero value is valid and empty.
package protocol Zeroable: ~Copyable {}

/// A large value in mapped pages, which the kernel allocates on first write: a quiet host needs few.
///
/// Safe: the memory is private, has the size of the value and page alignment, and is never unmapped. It is zero, so
/// nothing has to be written to it for it to be an empty value.
@safe package struct ZeroedPages<Value: Zeroable & ~Copyable>: ~Copyable {
    private let memory: UnsafeMutablePointer<Value>

    /// Maps an empty value.
    ///
    /// - Parameter name: its name in error messages.
    package init(_ name: CString) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(MemoryLayout<Value>.size) else { throw SystemError(name, "map") }
        unsafe self.memory = memory.bindMemory(to: Value.self, capacity: 1)
    }

    /// The value, accessed in place.
    package var value: Value {
        _read { yield unsafe memory.pointee }
        nonmutating _modify { yield unsafe &memory.pointee }
    }

    /// Has the processor read what is at an offset of the value, in bytes, without waiting for it.
    @inline(__always)
    package func prefetch(at offset: Int) {
        unsafe clinux_prefetch(UnsafeRawPointer(memory) + offset)  // any address is allowed
    }
}
