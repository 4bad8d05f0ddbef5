import CLinux

/// Elements in pages of their own, all bytes zero at first, which must be values of theirs.
///
/// Safe: the memory is private, of the elements' size, and given back with the value; an index out of bounds traps.
@safe @usableFromInline package struct ZeroedArray<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let elements: UnsafeMutableBufferPointer<Element>

    /// So many of them.
    ///
    /// - Parameter name: what an error calls them.
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

    /// How many there are.
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
