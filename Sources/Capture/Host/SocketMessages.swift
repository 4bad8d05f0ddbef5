import CLinux
import System

/// Parses the messages in a datagram of a socket for sock_diag(7), as far as they reply to one request.
struct SocketMessages {
    /// The content of a message.
    enum Item: Equatable {
        /// A socket.
        case socket(ListedSocket)
        /// The end of a dump.
        case endOfList
        /// The request was refused, or the dump broken off, with an error number.
        case refused(Int32)
        /// A message of no interest: also one that replies to another request.
        case other
    }

    /// Whether sockets changed during the dump, so that it may lack some.
    private(set) var areInterrupted = false

    private let sequence: UInt32
    private var messages = NetlinkMessages()

    /// Begins with the first message of a datagram.
    ///
    /// - Parameter sequence: the sequence number of the request.
    init(repliesTo sequence: UInt32) {
        self.sequence = sequence
    }

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be parsed either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Item? {
        guard let message = try messages.next(in: datagram) else { return nil }
        if message.sequence != sequence { return .other }
        if message.flags & NLM_F_DUMP_INTR != 0 { areInterrupted = true }
        let body = datagram.extracting(message.body)
        switch message.type {
        case NLMSG_DONE:
            let code = try body.errorNumber()
            return code > 0 ? .refused(code) : .endOfList
        case NLMSG_ERROR:
            return .refused(try body.errorNumber())
        case Int32(SOCK_DIAG_BY_FAMILY):
            let socket: inet_diag_msg = try unsafe body.load(at: 0)
            return .socket(
                ListedSocket(port: UInt16(bigEndian: socket.id.idiag_sport), state: socket.idiag_state))
        default:
            return .other
        }
    }
}
