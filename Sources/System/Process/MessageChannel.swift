import CLinux

/// Sends a message over a socket that preserves message boundaries. Returns whether it was sent: there was room, and a
/// peer.
package func sendMessage(_ bytes: RawSpan, to socket: Int32) -> Bool {
    unsafe bytes.withUnsafeBytes {
        unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
    }
}

/// Receives a message from such a socket.
///
/// - Returns: its length in bytes; 0 if the peer has closed the socket, or the call failed; `nil` if no message is
///   pending.
package func receiveMessage(into bytes: inout MutableRawSpan, from socket: Int32) -> Int? {
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(socket, $0.baseAddress, $0.count) }
    if count < 0 && clinux_errno() == EAGAIN { return nil }
    return max(count, 0)
}

/// One end of a pipe, or of a socket pair, that transfers messages and never blocks.
package struct MessageChannel: ~Copyable {
    /// The result of a receive call.
    package enum Received {
        case message
        /// No message is pending.
        case nothing
        /// The peer has closed the channel, and everything was read.
        case end
    }

    private let descriptor: Descriptor
    /// The peer process.
    private let peer: CString

    /// The descriptor to poll.
    package var number: Int32 { descriptor.number }

    /// Takes ownership of a non-blocking descriptor.
    package init(owning number: Int32, peer: CString) {
        descriptor = Descriptor(owning: number)
        self.peer = peer
    }

    /// Sends a message. Returns whether there was room for it.
    package func send(_ message: Message) throws(SystemError) -> Bool {
        var bytes = message.bytes
        var span = bytes.mutableSpan
        let written = unsafe span.withUnsafeMutableBytes { unsafe write(number, $0.baseAddress, $0.count) }
        if written == Message.size { return true }
        let error = SystemError(peer, "send")
        if error.code == EAGAIN { return false }
        throw error
    }

    /// Sends a message with an open file, or none if that is -1; failures are ignored.
    package func send(_ message: Message, with descriptor: Int32) {
        let bytes = message.bytes
        _ = unsafe bytes.span.withUnsafeBytes {
            unsafe clinux_send_descriptor(number, $0.baseAddress, $0.count, descriptor)
        }
    }

    /// The result of receiving a message that may carry a descriptor.
    package enum ReceivedDescriptor: ~Copyable {
        case descriptor(Descriptor)
        case message(Message)
        /// No message is pending.
        case nothing
        /// The peer has closed the channel, or sent something invalid.
        case end
    }

    /// Receives a message that may carry an open file.
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

    /// Sets the capacity of a pipe in bytes.
    package func setPipeSize(_ size: Int32) throws(SystemError) {
        _ = try check("link", "set pipe size") { clinux_set_pipe_size(number, size) }
    }

    /// Receives a message into an existing one.
    ///
    /// - Throws: if it is invalid, or the error of the call.
    package func receive(_ message: inout Message) throws(SystemError) -> Received {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        let count = unsafe span.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress, $0.count) }
        if count == 0 { return .end }
        if count < 0 {
            let error = SystemError(peer, "receive")
            if error.code == EAGAIN { return .nothing }
            if error.code == ECONNRESET { return .end }  // from a socket that was closed with unread data
            throw error
        }
        guard count == Message.size, let received = Message(bytes) else {
            throw SystemError(peer, "receive", because: "not a message")
        }
        message = received
        return .message
    }
}
