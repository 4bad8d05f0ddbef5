import Capture
import CLinux

/// One end of a pipe, or of a pair of sockets, that records go through one by one, and that never makes anybody wait.
struct RecordChannel: ~Copyable {
    /// Whether something came out of a channel.
    enum Received {
        case record
        /// Nothing waits.
        case nothing
        /// The other end is closed, and all that was written has been read.
        case end
    }

    private let descriptor: Descriptor
    /// The process at the other end.
    private let peer: ConstantText

    /// The number to poll.
    var number: Int32 { descriptor.number }

    /// Takes over a descriptor that does not block.
    init(owning number: Int32, peer: ConstantText) {
        descriptor = Descriptor(owning: number)
        self.peer = peer
    }

    /// Sends a record, and says whether there was room for it.
    func send(_ record: Record) throws(SystemError) -> Bool {
        var bytes = record.bytes
        var span = bytes.mutableSpan
        let written = unsafe span.withUnsafeMutableBytes { unsafe write(number, $0.baseAddress, $0.count) }
        if written == Record.size { return true }
        let error = SystemError(peer, "send")
        if error.code == EAGAIN { return false }
        throw error
    }

    /// Receives a record in place of another.
    ///
    /// - Throws: that it is none, or what the kernel said.
    @inline(never)
    func receive(_ record: inout Record) throws(SystemError) -> Received {
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
        guard count == Record.size, let received = Record(bytes) else {
            throw SystemError(peer, "receive", because: "not a record")
        }
        record = received
        return .record
    }
}
