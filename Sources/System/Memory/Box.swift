import CLinux
import ScanCore

/// A large value in separately allocated memory, so that its owner can be moved cheaply: each move of the value itself
/// would leave a copy on the stack, in pages that are never released.
@safe @usableFromInline package struct Box<Value: ~Copyable>: ~Copyable {
    @usableFromInline package let memory: UnsafeMutablePointer<Value>
    /// Whether it is in mapped pages, not on the heap.
    @usableFromInline package let isMapped: Bool

    /// Stores the result of a function.
    package init<Failure>(_ make: () throws(Failure) -> Value) throws(Failure) {
        let memory = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        do throws(Failure) {
            unsafe try Box.fill(memory, make)
        } catch {
            unsafe memory.deallocate()
            throw error
        }
        unsafe self.memory = memory
        isMapped = false
        releaseUnusedStack()  // which was used to construct the value
    }

    /// Maps zeroed memory for a value, which must be valid when all zero. The kernel allocates pages on first write, so
    /// that a quiet host needs few.
    ///
    /// - Parameter name: its name in error messages.
    package init(zeroed name: CString) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(MemoryLayout<Value>.size) else { throw SystemError(name, "map") }
        unsafe self.memory = memory.bindMemory(to: Value.self, capacity: 1)  // of its size, and page-aligned
        isMapped = true
    }

    @inline(never)  // so that the stack it takes is free when it returns
    private static func fill<Failure>(
        _ memory: UnsafeMutablePointer<Value>, _ make: () throws(Failure) -> Value
    ) throws(Failure) {
        unsafe memory.initialize(to: try make())
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe memory.deinitialize(count: 1)
        if isMapped {
            unsafe munmap(memory, MemoryLayout<Value>.size)
        } else {
            unsafe memory.deallocate()
        }
    }

    /// The value, accessed in place.
    package var value: Value {
        @inline(__always) _read { yield unsafe memory.pointee }
        @inline(__always) _modify { yield unsafe &memory.pointee }
    }
}
