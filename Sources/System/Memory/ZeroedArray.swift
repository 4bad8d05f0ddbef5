import CLinux

/// An array in mapped pages. All bytes are zero at first, which must be valid element values.
///
/// Safe: the memory is private, has the size of the elements, and is unmapped with the value; an index out of bounds
/// traps.
@safe @usableFromInline package struct ZeroedArray<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let elements: UnsafeMutableBufferPointer<Element>

    /// Maps an array with a number of elements.
    ///
    /// - Parameter name: its name in error messages.
    package init(_ count: Int, _ name: CString) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(count * MemoryLayout<Element>.stride) else {
            throw SystemError(name, "map")
        }
        unsafe elements = UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: Element.self, capacity: count), count: count)
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe munmap(elements.baseAddress, elements.count * MemoryLayout<Element>.stride)
    }

    /// The number of elements.
    package var count: Int { unsafe elements.count }

    package subscript(_ index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return unsafe elements[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            unsafe elements[index] = newValue
        }
    }
}
