import CLinux

/// An open socket with its name in error messages.
package struct Socket: ~Copyable {
    package let descriptor: Descriptor
    package let name: CString

    /// The descriptor number.
    package var number: Int32 { descriptor.number }

    /// Opens a non-blocking, close-on-exec socket (socket(2)).
    package init(_ family: Int32, _ type: __socket_type, _ socketProtocol: Int32, name: CString)
        throws(SystemError)
    {
        let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = Descriptor(owning: try check(name, "open") { socket(family, flags, socketProtocol) })
        self.name = name
    }

    /// Takes ownership of an open socket.
    package init(adopting number: Int32, name: CString) {
        descriptor = Descriptor(owning: number)
        self.name = name
    }

    /// Sets an integer option (setsockopt(2)).
    package func set(_ option: Int32, level: Int32, to value: Int32, _ operation: CString) throws(SystemError) {
        var value = value
        _ = try check(name, operation) {
            unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Sets the size of the receive buffer: beyond the system's limit with CAP_NET_ADMIN, up to it without.
    package func setReceiveBuffer(_ size: Int32) throws(SystemError) {
        do throws(SystemError) {
            try set(SO_RCVBUFFORCE, level: SOL_SOCKET, to: size, "set receive buffer")
        } catch {
            if error.code != EPERM { throw error }
            try set(SO_RCVBUF, level: SOL_SOCKET, to: size, "set receive buffer")
        }
    }

    /// The size of the receive buffer: twice the size requested and granted (socket(7), SO_RCVBUF).
    package func receiveBuffer() throws(SystemError) -> Int32 {
        var size: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try check(name, "read receive buffer") {
            unsafe getsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, &length)
        }
        return size
    }

    /// Makes the kernel run a BPF program on each packet, and drop those for which it returns 0.
    ///
    /// - Parameter program: its instructions, at most 4,096.
    package func attach(_ program: Span<sock_filter>) throws(SystemError) {
        try unsafe program.withUnsafeBufferPointer { (program) throws(SystemError) in
            // Read only: the kernel copies it.
            let instructions = unsafe UnsafeMutablePointer(mutating: program.baseAddress)
            var description = unsafe sock_fprog(len: UInt16(program.count), filter: instructions)
            _ = try check(name, "attach filter") {
                unsafe setsockopt(
                    number, SOL_SOCKET, SO_ATTACH_FILTER, &description, socklen_t(MemoryLayout<sock_fprog>.size))
            }
        }
    }

    /// Returns the pending error of the socket and clears it; 0 if there is none (socket(7), SO_ERROR).
    package func pendingError() throws(SystemError) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try check(name, "read error") { unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) }
        return code
    }
}
