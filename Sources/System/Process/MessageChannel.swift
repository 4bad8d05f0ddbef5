import CLinux

/// Sends the bytes of a message over a socket that keeps messages apart, and says whether there was room, and somebody to
/// take it.
package func sendMessage(_ bytes: RawSpan, to socket: Int32) -> Bool {
    unsafe bytes.withUnsafeBytes {
        unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
    }
}

/// Receives a message from such a socket.
///
/// - Returns: how many bytes it has; 0 when the other end is closed, or isn't itself any more; `nil` when none waits.
package func receiveMessage(into bytes: inout MutableRawSpan, from socket: Int32) -> Int? {
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(socket, $0.baseAddress, $0.count) }
    if count < 0 && clinux_errno() == EAGAIN { return nil }
    return max(count, 0)
}

/// One end of a pipe, or of a pair of sockets, that messages go through one by one, and that never makes anybody wait.
package struct MessageChannel: ~Copyable {
    /// Whether something came out of a channel.
    package enum Received {
        case message
        /// Nothing waits.
        case nothing
        /// The other end is closed, and all that was written has been read.
        case end
    }

    private let descriptor: Descriptor
    /// The process at the other end.
    private let peer: CString

    /// The number to poll.
    package var number: Int32 { descriptor.number }

    /// Takes over a descriptor that does not block.
    package init(owning number: Int32, peer: CString) {
        descriptor = Descriptor(owning: number)
        self.peer = peer
    }

    /// Sends a message, and says whether there was room for it.
    package func send(_ message: Message) throws(SystemError) -> Bool {
        var bytes = message.bytes
        var span = bytes.mutableSpan
        let written = unsafe span.withUnsafeMutableBytes { unsafe write(number, $0.baseAddress, $0.count) }
        if written == Message.size { return true }
        let error = SystemError(peer, "send")
        if error.code == EAGAIN { return false }
        throw error
    }

    /// Sends a message with an open file, or none if that is -1; without a promise.
    package func send(_ message: Message, with descriptor: Int32) {
        let bytes = message.bytes
        _ = unsafe bytes.span.withUnsafeBytes {
            unsafe clinux_send_descriptor(number, $0.baseAddress, $0.count, descriptor)
        }
    }

    /// What came with a message, or without.
    package enum ReceivedDescriptor: ~Copyable {
        case descriptor(Descriptor)
        case message(Message)
        /// Nothing waits.
        case nothing
        /// The other end is closed, or isn't itself any more.
        case end
    }

    /// Receives a message that may come with an open file.
    @inline(never)
    package func receiveDescriptor() -> ReceivedDescriptor {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        var received: Int32 = -1
        let count = unsafe span.withUnsafeMutableBytes {
            unsafe clinux_receive_descriptor(number, $0.baseAddress, $0.count, &received)
        }
        if count < 0 && clinux_errno() == EAGAIN { return .nothing }
        guard count == Message.size, let message = Message(bytes) else { return .end }
        return received >= 0 ? .descriptor(Descriptor(owning: received)) : .message(message)
    }

    /// Makes room for so many bytes, in a pipe.
    package func setPipeSize(_ size: Int32) throws(SystemError) {
        _ = try check("link", "set pipe size") { clinux_set_pipe_size(number, size) }
    }

    /// Receives a message in place of another.
    ///
    /// - Throws: that it is none, or what the kernel said.
    @inline(never)
    package func receive(_ message: inout Message) throws(SystemError) -> Received {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        let count = unsafe span.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress, $0.count) }
        if count == 0 { return .end }
        if count < 0 {
            let error = SystemError(peer, "receive")
            if error.code == EAGAIN { return .nothing }
            if error.code == ECONNRESET { return .end }  // a socket's, closed with something unread
            throw error
        }
        guard count == Message.size, let received = Message(bytes) else {
            throw SystemError(peer, "receive", because: "not a message")
        }
        message = received
        return .message
    }
}
