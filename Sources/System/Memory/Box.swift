import CLinux
import ScanCore

/// A large value in memory of its own, so that whoever owns it can be moved about: each move of the value itself would
/// leave a copy of it on the stack, in pages that are never given back.
@safe @usableFromInline package struct Box<Value: ~Copyable>: ~Copyable {
    @usableFromInline package let memory: UnsafeMutablePointer<Value>
    /// Whether it stands in pages of its own, and not on the heap.
    @usableFromInline package let isMapped: Bool

    /// Keeps what a function makes.
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
        clinux_release_stack()  // where the value was put together
    }

    /// Takes memory that is all zero for a value, which must be one then; the kernel gives it as it is written to, so that
    /// a quiet host needs little of it.
    ///
    /// - Parameter name: what an error calls it.
    package init(zeroed name: CString) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(MemoryLayout<Value>.size) else { throw SystemError(name, "map") }
        unsafe self.memory = memory.bindMemory(to: Value.self, capacity: 1)  // of its size, and aligned to a page
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

    /// The value, in its place.
    package var value: Value {
        @inline(__always) _read { yield unsafe memory.pointee }
        @inline(__always) _modify { yield unsafe &memory.pointee }
    }
}
