import CLinux

/// The events to wait for; errors and hangups are always reported (poll(2)).
package enum PollEvents {
    package static var none: Int32 { 0 }
    package static var readable: Int32 { POLLIN }
    package static var writable: Int32 { POLLOUT }
}

/// A fixed-size set of descriptors to wait for (poll(2)).
package struct PollSet<let size: Int> {
    private var entries = InlineArray<size, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))

    /// An empty set.
    package init() {}

    /// Sets the descriptor at an index, from 0, and the events to wait for. -1 disables the entry.
    package mutating func watch(_ place: Int, _ descriptor: Int32, for events: Int32 = PollEvents.readable) {
        entries[place] = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }

    /// Waits for an event on one of them, or the timeout.
    ///
    /// - Parameter timeout: in milliseconds, or -1 for no timeout.
    package mutating func wait(timeout: Int32) throws(SystemError) {
        var span = entries.mutableSpan
        _ = try check("descriptors", "poll") {
            unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), timeout) }
        }
    }

    /// Whether there was an event on the descriptor at an index.
    package func happened(_ place: Int) -> Bool { entries[place].revents != 0 }

    /// Whether the descriptor at an index has an error or was hung up.
    package func isBroken(_ place: Int) -> Bool { Int32(entries[place].revents) & (POLLERR | POLLHUP) != 0 }
}
