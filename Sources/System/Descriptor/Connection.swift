import CLinux
import ScanCore

/// One end of a connection, or of a datagram.
package struct Endpoint {
    package let address: Address
    package let port: UInt16
}

/// The connection that a super-server has passed on: a connected socket, or a datagram socket with a datagram to read.
package struct Connection {
    /// Its descriptor.
    package let number: Int32

    /// - Parameter number: a descriptor, which may be no socket, or closed.
    package init(_ number: Int32) {
        self.number = number
    }

    /// The client's end; `nil` if it is of another family. Of a datagram socket it is the source of the first datagram,
    /// which stays there (getpeername(2), recvfrom(2)).
    package func client() throws(SystemError) -> Endpoint? {
        var (address, length) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        if unsafe clinux_peer_address(number, &address, &length) != 0 {
            length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            _ = try check("client", "get address") { unsafe clinux_datagram_source(number, &address, &length) }
        }
        return unsafe withUnsafeBytes(of: &address) { unsafe Endpoint($0, Int(length)) }
    }

    /// This host's end; `nil` if it is of another family.
    package func server() throws(SystemError) -> Endpoint? {
        var (address, length) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        _ = try check("server", "get address") { unsafe clinux_own_address(number, &address, &length) }
        return unsafe withUnsafeBytes(of: &address) { unsafe Endpoint($0, Int(length)) }
    }

    /// Whether it is a socket for datagrams.
    package var isDatagram: Bool { type == Int32(SOCK_DGRAM.rawValue) }

    /// Whether it is a connection that a stream of bytes goes through: both ends have agreed to it.
    package var isStream: Bool {
        var (address, length) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        return unsafe type == Int32(SOCK_STREAM.rawValue) && clinux_peer_address(number, &address, &length) == 0
    }

    private var type: Int32 {
        var (type, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return unsafe getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &length) == 0 ? type : 0
    }

    /// The options of the IPv4 header that the client has sent (ip(7), IP_OPTIONS).
    package var internetOptions: InternetOptions {
        var bytes = InlineArray<40, UInt8>(repeating: 0)
        var length = socklen_t(40)
        var span = bytes.mutableSpan
        let result = unsafe span.withUnsafeMutableBytes {
            unsafe getsockopt(number, Int32(IPPROTO_IP), IP_OPTIONS, $0.baseAddress, &length)
        }
        return result == 0 ? InternetOptions(bytes.span.extracting(0..<min(Int(length), 40))) : .none
    }

    /// Sends no options of the IPv4 header, such as those that the client has sent.
    package func clearInternetOptions() {
        _ = setsockopt(number, Int32(IPPROTO_IP), IP_OPTIONS, nil, 0)
    }

    /// Has the kernel probe whether the client is still there (SO_KEEPALIVE).
    package func keepAlive() throws(SystemError) {
        var on: Int32 = 1
        _ = try check("connection", "keep alive") {
            unsafe setsockopt(number, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Has close(2) wait for data to be sent, for a number of seconds (SO_LINGER).
    package func linger(seconds: Int32) throws(SystemError) {
        var value = CLinux.linger(l_onoff: 1, l_linger: seconds)
        _ = try check("connection", "linger") {
            unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<CLinux.linger>.size))
        }
    }

    /// Sends bytes, for some seconds at most; what the client does not take is dropped. The socket stays as it is.
    package func send(_ bytes: Span<UInt8>, until due: Timestamp) {
        var sent = 0
        while sent < bytes.count {
            let rest = bytes.extracting(sent...)
            let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = unsafe rest.withUnsafeBufferPointer {
                unsafe CLinux.send(number, $0.baseAddress, $0.count, flags)
            }
            if count >= 0 {
                sent += count
            } else if Errno.last == Errno.wouldBlock {
                if !wait(for: PollEvents.writable, until: due) { return }
            } else if Errno.last != Errno.interrupted {
                return
            }
        }
    }

    /// Ends the sending, and waits for the client to end as well: else the kernel would reset the connection for what was
    /// not read, and the client might lose what was sent.
    package func endSending(until due: Timestamp) {
        if shutdown(number, Int32(SHUT_WR)) != 0 { return }
        var bytes = InlineArray<4096, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        for _ in 0..<64 {  // 256 KiB at most
            if !wait(for: PollEvents.readable, until: due) { return }
            let count = unsafe span.withUnsafeMutableBytes {
                unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count <= 0 { return }
        }
    }

    private func wait(for events: Int32, until due: Timestamp) -> Bool {
        let left = due.millisecondsFromNow
        if left == 0 { return false }
        var entry = pollfd(fd: number, events: Int16(events), revents: 0)
        return unsafe poll(&entry, 1, left) > 0 || Errno.last == Errno.interrupted
    }

    /// Ends the connection; of a datagram socket, takes the datagram, which otherwise would start the service again.
    package func end() {
        if isDatagram {
            var byte: UInt8 = 0
            _ = unsafe recv(number, &byte, 1, Int32(MSG_DONTWAIT))
        } else {
            shutdown(number, Int32(SHUT_RDWR))
        }
    }

    /// Whether another descriptor is the same file.
    package func isSame(as other: Int32) -> Bool { FileWriting.isSameFile(number, other) }
}

/// The options of an IPv4 header that came with a connection (RFC 791, section 3.1).
package enum InternetOptions {
    case none
    /// One of them says which way packets go: then the address may be anybody's.
    case sourceRoute
    case others

    /// Finds out what options are, which may be any bytes.
    package init(_ bytes: Span<UInt8>) {
        var index = 0
        self = .none
        while index < bytes.count && bytes[index] != 0 {  // 0: the end of the list
            self = .others
            if bytes[index] == 1 {  // no operation
                index += 1
                continue
            }
            if bytes[index] == 131 || bytes[index] == 137 {  // loose and strict
                self = .sourceRoute
                return
            }
            if index + 1 >= bytes.count || bytes[index + 1] < 2 { return }
            index += Int(bytes[index + 1])
        }
    }
}

extension Endpoint {
    /// The meaning of a socket address; `nil`: it is of neither family, or too short.
    fileprivate init?(_ bytes: UnsafeRawBufferPointer, _ length: Int) {
        if length < 8 || length > bytes.count { return nil }
        let family = Int32(unsafe bytes.loadUnaligned(as: sa_family_t.self))
        port = UInt16(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        if family == AF_INET {
            address = Address(ipv4: UInt32(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        } else if family == AF_INET6 && length >= 24 {
            address = Address(
                ipv6High: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        } else {
            return nil
        }
    }
}
