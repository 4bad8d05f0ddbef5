import CLinux
import ScanCore
import System

/// Lists the ports at which this host accepts TCP connections, and those at which it takes UDP packets.
///
/// A port counts whatever address, interface or version of IP its socket is bound to. That of a connected UDP socket
/// counts as well: it takes the packets of its peer, and these must not look like refused ones.
///
/// The kernel lists sockets by the buckets of a hash table. When sockets of a bucket close while it is listed in parts,
/// another one of it may be missing until the next refresh.
///
/// It is opened with privileges, and then works without any, in any root directory, for the network namespace in which
/// it was opened. The only system calls of ``refresh(_:)`` are sendto(2), recvfrom(2) and pread(2).
struct HostSockets: ~Copyable {
    private var sources: SocketSources

    /// Opens what lists sockets, and reads it once. That loads the kernel's modules for it, where these are needed.
    ///
    /// - Parameter ports: the ports that are open now, if nothing is thrown; otherwise they are as before.
    /// - Throws: why a list can't be read.
    init(_ ports: inout OpenPorts) throws(SystemError) {
        sources = SocketSources()
        var fresh = OpenPorts()
        try sources.open(.tcp, into: &fresh.tcp)
        try sources.open(.tcp6, into: &fresh.tcp)
        try sources.open(.udp, into: &fresh.udp)
        try sources.open(.udp6, into: &fresh.udp)
        ports = fresh
    }

    /// Reads all lists anew, without blocking.
    ///
    /// - Parameter ports: the ports that are open now, if nothing is thrown; otherwise they are as before.
    /// - Throws: why a list can't be read.
    mutating func refresh(_ ports: inout OpenPorts) throws(SystemError) {
        var fresh = OpenPorts()  // on the stack, of which others need as much
        try sources.read(.tcp, into: &fresh.tcp)
        try sources.read(.tcp6, into: &fresh.tcp)
        try sources.read(.udp, into: &fresh.udp)
        try sources.read(.udp6, into: &fresh.udp)
        ports = fresh
    }
}
