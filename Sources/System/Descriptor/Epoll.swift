import CLinux

/// A set of sockets that can be polled through one descriptor (epoll(7)).
package struct ReadableSet: ~Copyable {
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        descriptor = Descriptor(owning: try check("epoll", "create") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// Adds a socket: the set is readable when the socket is.
    package func add(_ socket: borrowing Socket) throws(SystemError) {
        let number = socket.number
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        _ = try check(socket.name, "watch") {
            unsafe epoll_ctl(descriptor.number, EPOLL_CTL_ADD, number, &event)
        }
    }
}
