#if Rules
    import Capture
    import CLinux

    /// All bytes of a file, of any size, in memory of their own.
    ///
    /// Safe: the memory is this value's alone, and only the bytes that were read are lent.
    @safe struct FileText: ~Copyable {
        private var memory: UnsafeMutablePointer<UInt8>?
        private var count = 0

        /// Reads a file; `-` is no special name.
        ///
        /// - Parameters:
        ///   - path: the file.
        ///   - limit: the most bytes it may have.
        init(_ path: ConstantText, limit: Int = .max) throws(SystemError) {
            let file = Descriptor(
                owning: try check(path, "open") { unsafe clinux_open(path.pointer, O_RDONLY | O_CLOEXEC, 0) })
            var memory: UnsafeMutablePointer<UInt8>?
            var count = 0
            do throws(SystemError) {
                try unsafe Self.read(file, path, limit, &memory, &count)
            } catch {
                unsafe free(memory)
                throw error
            }
            unsafe self.memory = memory
            self.count = count
        }

        deinit {
            unsafe free(memory)
        }

        private static func read(
            _ file: borrowing Descriptor, _ path: ConstantText, _ limit: Int,
            _ memory: inout UnsafeMutablePointer<UInt8>?, _ count: inout Int
        ) throws(SystemError) {
            let number = file.number
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
                let taken = try check(path, "read") { Int32(truncatingIfNeeded: unsafe Glue.read(number, end, room)) }
                if taken == 0 { return }
                count += Int(taken)
                if count > limit { throw SystemError(path, "read", because: "too large") }
            }
        }

        /// Lends the bytes.
        func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            body(unsafe UnsafeBufferPointer(start: memory, count: count).span)
        }
    }

    /// What a name in this file hides.
    private enum Glue {
        static func read(_ file: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ size: Int) -> Int {
            unsafe CLinux.read(file, buffer, size)
        }
    }

    extension ConstantText {
        /// Lends the bytes of the text, without the zero that ends it.
        func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            let count = unsafe strlen(pointer)
            return body(
                unsafe UnsafeRawBufferPointer(start: pointer, count: count).bindMemory(to: UInt8.self).span)
        }
    }
#endif
