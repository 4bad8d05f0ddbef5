import CLinux

/// Operations on the descriptor that lines are written to: a file, a pipe or a terminal. They use only calls that the
/// system-call filter allows.
package enum FileWriting {
    /// Whether a write would succeed now.
    package enum Room {
        case none
        case some
        /// The other end is closed.
        case closed
    }

    /// Whether there is room in a pipe, a terminal or the like.
    package static func room(in descriptor: Int32) -> Room {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        if unsafe poll(&entry, 1, 0) <= 0 { return .none }
        return Int32(entry.revents) & (POLLERR | POLLHUP) != 0 ? .closed : .some
    }

    /// Whether a descriptor is open for writing.
    package static func isPossible(to descriptor: Int32) -> Bool { clinux_can_write(descriptor) }

    /// Writes some bytes, at least one.
    ///
    /// - Returns: how many; 0 or less if the call failed, see ``Errno/last``.
    package static func write(_ bytes: RawSpan, to descriptor: Int32) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Receives a message that has arrived.
    ///
    /// - Returns: how many bytes of it there are; 0 or less if there is none.
    package static func receive(_ bytes: inout MutableSpan<UInt8>, from descriptor: Int32) -> Int {
        unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
    }

    /// The same, but it blocks for half a second at most, and then fails as interrupted.
    package static func writeImpatiently(_ bytes: RawSpan, to descriptor: Int32) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe clinux_write_impatiently(descriptor, $0.baseAddress, $0.count) }
    }

    /// Truncates a file by a number of bytes.
    ///
    /// - Returns: whether it was truncated: an append-only file can't be.
    package static func takeBack(_ count: Int, of descriptor: Int32) -> Bool {
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { return false }
        let end = status.st_size - count
        if ftruncate(descriptor, end) != 0 { return false }
        // If it was opened without O_APPEND, as standard output may be, the next write would leave a hole.
        lseek(descriptor, end, SEEK_SET)
        return true
    }

    /// Whether two descriptors refer to the same file.
    package static func isSameFile(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        return unsafe fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.isSameFile(as: second)
    }
}
