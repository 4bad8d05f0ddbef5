import Capture
import CLinux

/// What a process waits for: up to five descriptors at a time (poll(2)).
struct PollSet {
    /// How many places there are.
    static let size: Int32 = 5

    private var entries = InlineArray<5, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))

    /// Puts a descriptor in a place from 0 to 4: to wait until it can be read, or for an error only.
    mutating func watch(_ place: Int, _ descriptor: Int32, for events: Int32 = POLLIN) {
        entries[place] = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }

    /// Waits until something happens to one of them, or the time is over.
    ///
    /// - Parameter timeout: in milliseconds, or -1 for ever.
    mutating func wait(timeout: Int32) throws(SystemError) {
        var span = entries.mutableSpan
        _ = try check("descriptors", "poll") {
            unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t(Self.size), timeout) }
        }
    }

    /// Whether something happened to the descriptor in a place.
    func happened(_ place: Int) -> Bool { entries[place].revents != 0 }

    /// Whether the descriptor in a place has no other end any more.
    func isBroken(_ place: Int) -> Bool { Int32(entries[place].revents) & (POLLERR | POLLHUP) != 0 }
}
