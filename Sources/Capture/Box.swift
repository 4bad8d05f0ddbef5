import CLinux

/// A large value in memory of its own, so that whoever owns it can be moved about: each move of the value itself would
/// leave a copy of it on the stack, in pages that are never given back.
@safe @usableFromInline struct Box<Value: ~Copyable>: ~Copyable {
    @usableFromInline let memory: UnsafeMutablePointer<Value>

    /// Keeps what a function makes.
    init(_ make: () -> Value) {
        unsafe memory = .allocate(capacity: 1)
        unsafe Box.fill(memory, make)
        clinux_release_stack()  // where the value was put together
    }

    @inline(never)  // so that the stack it takes is free when it returns
    private static func fill(_ memory: UnsafeMutablePointer<Value>, _ make: () -> Value) {
        unsafe memory.initialize(to: make())
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
