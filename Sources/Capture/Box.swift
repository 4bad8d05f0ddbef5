import CLinux

/// A large value in memory of its own, so that whoever owns it can be moved about: each move of the value itself would
/// leave a copy of it on the stack, in pages that are never given back.
@safe @usableFromInline struct Box<Value: ~Copyable>: ~Copyable {
    @usableFromInline let memory: UnsafeMutablePointer<Value>

    /// Keeps what a function makes.
    init<Failure>(_ make: () throws(Failure) -> Value) throws(Failure) {
        let memory = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        do throws(Failure) {
            unsafe try Box.fill(memory, make)
        } catch {
            unsafe memory.deallocate()
            throw error
        }
        unsafe self.memory = memory
        clinux_release_stack()  // where the value was put together
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
        unsafe memory.deallocate()
    }

    /// The value, in its place.
    var value: Value {
        @inline(__always) _read { yield unsafe memory.pointee }
        @inline(__always) _modify { yield unsafe &memory.pointee }
    }
}
