import CLinux
import ScanCore
import System

/// A file of /proc/net that lists sockets (proc(5)), for kernels that can't list them by netlink.
///
/// It belongs to the network namespace, and needs the file system, only when it is opened.
struct SocketTable: ~Copyable {
    /// The size of the pieces that it is read in, in bytes: the kernel gives a page at a time, about 26 sockets.
    private static let pieceSize = 4096
    /// The most pieces that are read.
    private static let mostPieces = 4096

    private let list: SocketList
    private let file: Descriptor

    /// Opens the file of a list.
    init(_ list: SocketList) throws(SystemError) {
        let path = SocketTable.path(of: list)
        file = Descriptor(owning: try check(path, "open") { unsafe clinux_open(path.pointer, O_RDONLY | O_CLOEXEC, 0) })
        self.list = list
    }

    private static func path(of list: SocketList) -> CString {
        switch list {
        case .tcp: "/proc/net/tcp"
        case .tcp6: "/proc/net/tcp6"
        case .udp: "/proc/net/udp"
        case .udp6: "/proc/net/udp6"
        }
    }

    /// Adds the ports of the list, as it is now: of TCP those of sockets that listen, of UDP all.
    ///
    /// - Throws: the kernel's error. Some of the ports may have been added.
    func read(into ports: inout PortMap) throws(SystemError) {
        var reader = SocketTableReader()
        var piece = InlineArray<4096, UInt8>(repeating: 0)
        var offset = 0
        for _ in 0..<SocketTable.mostPieces {
            let count = try readPiece(&piece, at: offset)
            if count == 0 {
                if offset == 0 || !reader.isAtLineStart { throw malformed }
                return
            }
            if try take(piece.span.extracting(0..<count), &reader, &ports) == .end { return }
            offset += count
        }
        throw SystemError(SocketTable.path(of: list), "read", because: "too many sockets")
    }

    private func readPiece(_ piece: inout InlineArray<4096, UInt8>, at offset: Int) throws(SystemError) -> Int {
        var span = piece.mutableSpan
        let count = try check(SocketTable.path(of: list), "read") {
            unsafe span.withUnsafeMutableBytes { bytes in
                unsafe Int32(clamping: pread(file.number, bytes.baseAddress, bytes.count, offset))
            }
        }
        return Int(count)
    }

    private enum Progress {
        case more, end
    }

    private func take(
        _ piece: Span<UInt8>, _ reader: inout SocketTableReader, _ ports: inout PortMap
    ) throws(SystemError) -> Progress {
        for index in piece.indices {
            switch reader.add(piece[index]) {
            case .none, .heading: break
            case .malformed: throw malformed
            case .socket(let socket):
                if list.isOpen(socket) {
                    ports.insert(socket.port)
                } else if socket.state != TCPState.synReceived {
                    // The kernel lists what listens before the connections, of which there may be a million.
                    return .end
                }
            }
        }
        return .more
    }

    private var malformed: SystemError {
        SystemError(SocketTable.path(of: list), "read", because: "a malformed line")
    }
}
