import ScanCore

/// A socket in a list of the kernel's.
struct ListedSocket: Equatable {
    /// The port that it is bound to, in host byte order.
    let port: UInt16
    /// Its state, with the number that the kernel has for it (include/net/tcp_states.h): of UDP as well.
    let state: UInt8
}

/// The four lists of sockets that the kernel has of IP.
enum SocketList: Int {
    case tcp
    case tcp6
    case udp
    case udp6

    /// Whether its sockets are of IPv6. Some of these take packets of IPv4 as well.
    var isIPv6: Bool { self == .tcp6 || self == .udp6 }

    /// Whether its sockets are of TCP, and not of UDP.
    var isTCP: Bool { self == .tcp || self == .tcp6 }
}

/// States of a TCP socket that matter (include/net/tcp_states.h).
enum TCPState {
    /// A connection that is being opened to a listening socket.
    static var synReceived: UInt8 { 3 }
    /// It accepts connections.
    static var listen: UInt8 { 10 }
}
