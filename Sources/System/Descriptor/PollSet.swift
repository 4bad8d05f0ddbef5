import CLinux

/// What is waited for on a descriptor; an error, or the end of the other side, always is (poll(2)).
package enum PollEvents {
    package static var none: Int32 { 0 }
    package static var readable: Int32 { POLLIN }
    package static var writable: Int32 { POLLOUT }
}

/// What a process waits for: up to so many descriptors at a time (poll(2)).
package struct PollSet<let size: Int> {
    private var entries = InlineArray<size, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))

    /// Nothing to wait for yet.
    package init() {}

    /// Puts a descriptor in a place, from 0: to wait until it can be read, or for something else. Minus one leaves the
    /// place out.
    package mutating func watch(_ place: Int, _ descriptor: Int32, for events: Int32 = PollEvents.readable) {
        entries[place] = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }

    /// Waits until something happens to one of them, or the time is over.
    ///
    /// - Parameter timeout: in milliseconds, or -1 for ever.
    package mutating func wait(timeout: Int32) throws(SystemError) {
        var span = entries.mutableSpan
        _ = try check("descriptors", "poll") {
            unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), timeout) }
        }
    }

    /// Whether something happened to the descriptor in a place.
    package func happened(_ place: Int) -> Bool { entries[place].revents != 0 }

    /// Whether the descriptor in a place has no other end any more.
    package func isBroken(_ place: Int) -> Bool { Int32(entries[place].revents) & (POLLERR | POLLHUP) != 0 }
}
