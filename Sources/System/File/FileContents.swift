import CLinux

/// The contents of a file of any size, in memory.
///
/// Safe: the memory is owned by this value, and only bytes that were read are lent.
@safe @usableFromInline package struct FileContents: ~Copyable {
    @usableFromInline let memory: UnsafeMutablePointer<UInt8>?
    private let count: Int

    /// Reads a file to its end.
    ///
    /// - Parameters:
    ///   - path: the file; `-` has no special meaning.
    ///   - isRegular: whether it must be a regular file: not a pipe without a writer, nor an endless device.
    ///   - limit: the maximum size in bytes.
    package init(_ path: CString, isRegular: Bool = false, limit: Int64 = .max) throws(SystemError) {
        let flags = O_RDONLY | O_CLOEXEC | (isRegular ? O_NONBLOCK : 0)
        let file = Descriptor(owning: try check(path, "open") { unsafe clinux_open(path.pointer, flags, 0) })
        let number = file.number
        let status = try fileStatus(of: number, path)
        if isRegular && !status.isRegularFile {
            throw SystemError(path, "read", because: "not a regular file")
        }
        if status.st_size > limit { throw SystemError(path, "read", because: "too large") }
        var memory: UnsafeMutablePointer<UInt8>?
        var count = 0
        do throws(SystemError) {
            unsafe try Self.fill(number, path, limit, &memory, &count)
        } catch {
            unsafe free(memory)
            throw error
        }
        unsafe self.memory = memory
        self.count = count
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe free(memory)
    }

    private static func fill(
        _ file: Int32, _ path: CString, _ limit: Int64, _ memory: inout UnsafeMutablePointer<UInt8>?,
        _ count: inout Int
    ) throws(SystemError) {
        var capacity = 0
        while true {
            if count == capacity {
                capacity = max(capacity * 2, 1 << 16)
                guard let larger = unsafe realloc(memory, capacity) else {
                    throw SystemError(path, "read", code: ENOMEM)
                }
                unsafe memory = larger.assumingMemoryBound(to: UInt8.self)
            }
            let room = min(capacity - count, 1 << 30)
            let end = unsafe memory.map { unsafe $0 + count }
            let taken = try check(path, "read") { Int32(unsafe read(file, end, room)) }
            if taken == 0 { return }
            count += Int(taken)
            if count > limit { throw SystemError(path, "read", because: "too large") }  // it grew, or has no size
        }
    }

    /// Lends the bytes.
    package func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(unsafe UnsafeBufferPointer(start: memory, count: count).span)
    }
}

extension CString {
    /// Lends the bytes of the text, without the zero that ends it.
    package func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
        return body(unsafe bytes.bindMemory(to: UInt8.self).span)
    }
}
