import CLinux

/// What lines are written to, by its number: a file, a pipe, a terminal, with nothing but what the filter of system
/// calls allows.
package enum FileWriting {
    /// Whether something can be written now.
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

    /// Whether a descriptor is one that can be written to.
    package static func isPossible(to descriptor: Int32) -> Bool { clinux_can_write(descriptor) }

    /// Writes some bytes, at least one.
    ///
    /// - Returns: how many; not above 0 where the call failed, see ``Errno/last``.
    package static func write(_ bytes: RawSpan, to descriptor: Int32) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// The same, but it waits for half a second at most, and has been interrupted then.
    package static func writeImpatiently(_ bytes: RawSpan, to descriptor: Int32) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe clinux_write_impatiently(descriptor, $0.baseAddress, $0.count) }
    }

    /// Takes bytes off the end of a file.
    ///
    /// - Returns: whether that is possible: of a file that can only be appended to it is not.
    package static func takeBack(_ count: Int, of descriptor: Int32) -> Bool {
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { return false }
        let end = status.st_size - count
        if ftruncate(descriptor, end) != 0 { return false }
        // Where it was opened without O_APPEND, as standard output may be, writing would go on behind a hole.
        lseek(descriptor, end, SEEK_SET)
        return true
    }

    /// Whether two descriptors are of one file.
    package static func isSameFile(_ one: Int32, _ other: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        return unsafe fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.isSameFile(as: second)
    }
}
