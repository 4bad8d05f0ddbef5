import CLinux

/// Waits for any of several sockets, as one descriptor (epoll(7)).
package struct ReadableSet: ~Copyable {
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        descriptor = Descriptor(owning: try check("epoll", "create") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// Makes the set readable when a socket is.
    package func add(_ socket: borrowing Socket) throws(SystemError) {
        let number = socket.number
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        _ = try check(socket.name, "watch") {
            unsafe epoll_ctl(descriptor.number, EPOLL_CTL_ADD, number, &event)
        }
    }
}
