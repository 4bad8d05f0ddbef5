import CLinux
import ScanCore
import System

/// Lists sockets by netlink (sock_diag(7)), in the network namespace in which it was opened, whatever the privileges of
/// the process are by then.
///
/// The kernel replies while it is asked and while its replies are read, so nothing blocks.
struct SocketDump: ~Copyable {
    /// The most datagrams that are read of a dump: the kernel puts about 250 sockets into each but the first.
    private static let mostDatagrams = 1024
    /// How often a dump is begun, if it can't be finished.
    private static let mostAttempts = 3

    private let socket: Socket
    private let buffer: NetlinkBuffer
    /// The sequence number of the last request: messages of an earlier dump that was not read to its end have another.
    private var sequence: UInt32 = 0

    /// Opens the netlink socket.
    init() throws(SystemError) {
        let socket = try Socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, name: "list of sockets")
        buffer = try NetlinkBuffer("memory for sockets")
        self.socket = socket
    }

    /// Adds the ports of a list: of TCP those of sockets that listen, of UDP all.
    ///
    /// - Throws: the kernel's error. Some of the ports may have been added.
    mutating func read(_ list: SocketList, into ports: inout PortMap) throws(SystemError) {
        for _ in 0..<SocketDump.mostAttempts {
            if try readOnce(list, into: &ports) { return }
        }
        throw SystemError(socket.name, "read", because: "other sockets are opened all the time")
    }

    /// Reads a dump. Returns whether it is complete; if not, another attempt may succeed.
    private mutating func readOnce(_ list: SocketList, into ports: inout PortMap) throws(SystemError) -> Bool {
        try request(list)
        var isInterrupted = false
        for _ in 0..<SocketDump.mostDatagrams {
            guard let length = try receive() else { continue }
            switch try take(length, list, &ports, &isInterrupted) {
            case .more: break
            case .end: return !isInterrupted
            case .refused(EBUSY):  // the dump before has not been finished
                try discardReplies()
                return false
            case .refused(let code): throw SystemError(socket.name, "read", code: code)
            }
        }
        throw tooMany
    }

    private mutating func request(_ list: SocketList) throws(SystemError) {
        sequence &+= 1  // wrapping is intended: it only has to differ from the last ones
        let family = list.isIPv6 ? AF_INET6 : AF_INET
        let transport = Int32(list.isTCP ? IPProtocol.tcp : IPProtocol.udp)
        let states = list.isTCP ? 1 << UInt32(TCPState.listen) : UInt32.max
        _ = try check(socket.name, "ask") {
            clinux_request_sockets(socket.number, family, transport, states, sequence)
        }
    }

    /// The length of the next datagram; `nil` if a signal came first.
    private func receive() throws(SystemError) -> Int? {
        do throws(SystemError) {
            return try buffer.receive(from: socket)
        } catch {
            if error.code == EINTR { return nil }
            throw error  // also EAGAIN: a dump without an end
        }
    }

    private enum Progress {
        case more, end
        /// By the kernel, with an error number.
        case refused(Int32)
    }

    private func take(
        _ length: Int, _ list: SocketList, _ ports: inout PortMap, _ isInterrupted: inout Bool
    ) throws(SystemError) -> Progress {
        let datagram = unsafe buffer.bytes(length)
        var messages = SocketMessages(repliesTo: sequence)
        do throws(NetlinkFault) {
            while let item = try messages.next(in: unsafe datagram.span) {
                isInterrupted = isInterrupted || messages.areInterrupted
                switch item {
                case .socket(let socket): if list.isOpen(socket) { ports.insert(socket.port) }
                case .endOfList: return .end
                case .refused(let code): return .refused(code)
                case .other: break
                }
            }
            return .more
        } catch {
            throw SystemError(socket.name, "read", because: "a malformed message")
        }
    }

    /// Reads what is left of a dump, which makes the kernel finish it.
    private func discardReplies() throws(SystemError) {
        for _ in 0..<SocketDump.mostDatagrams {
            do throws(SystemError) {
                _ = try buffer.receive(from: socket)
            } catch {
                switch error.code {
                case EAGAIN: return
                case EINTR, ENOBUFS: continue
                default: throw error
                }
            }
        }
        throw tooMany
    }

    private var tooMany: SystemError { SystemError(socket.name, "read", because: "too many sockets") }
}

extension SocketList {
    /// Whether a socket on the list makes its port one that takes packets.
    func isOpen(_ socket: ListedSocket) -> Bool { !isTCP || socket.state == TCPState.listen }
}
