import CLinux
import ScanCore
import System

/// The ports at which this host accepts TCP connections, and those at which it takes UDP packets, in fixed memory.
///
/// A port counts whatever address, interface or version of IP its socket is bound to. That of a connected UDP socket
/// counts as well: it takes the packets of its peer, and these must not look like refused ones.
///
/// The kernel lists sockets by the buckets of a hash table. When sockets of a bucket close while it is listed in parts,
/// another one of it may be missing until the next refresh.
///
/// It is opened with privileges, and then works without any, in any root directory, for the network namespace in which
/// it was opened. The only system calls of ``refresh()`` are sendto(2), recvfrom(2) and pread(2).
struct HostSockets: ~Copyable {
    /// Why the ports are unknown; `nil` if they are known.
    private(set) var failure: SystemError?

    private var sources: SocketSources
    private var ports: Box<OpenPorts>

    // Not private: the compiler (Swift 6.3) fails in the tests then.
    struct OpenPorts {
        var tcp = PortMap()
        var udp = PortMap()
    }

    /// Opens what lists sockets, and reads it once. That loads the kernel's modules for it, where these are needed.
    ///
    /// If sockets can't be listed, ``failure`` is why, and each refresh tries again.
    ///
    /// - Throws: an error if there is no memory.
    init() throws(SystemError) {
        ports = try Box(zeroed: "memory for open ports")
        sources = SocketSources()
        let lists = SocketList.all
        for index in lists.indices {
            do throws(SystemError) {
                try open(lists[index])
            } catch {
                failure = failure ?? error
            }
        }
    }

    private mutating func open(_ list: SocketList) throws(SystemError) {
        if list.isTCP {
            try sources.open(list, into: &ports.value.tcp)
        } else {
            try sources.open(list, into: &ports.value.udp)
        }
    }

    /// Reads all lists anew, without blocking. If one can't be read, all ports are unknown, and ``failure`` is why.
    mutating func refresh() {
        failure = nil
        ports.value.tcp.removeAll()
        ports.value.udp.removeAll()
        do throws(SystemError) {
            try sources.read(.tcp, into: &ports.value.tcp)
            try sources.read(.tcp6, into: &ports.value.tcp)
            try sources.read(.udp, into: &ports.value.udp)
            try sources.read(.udp6, into: &ports.value.udp)
        } catch {
            failure = error
        }
    }

    /// Stores what was last read, if that succeeded.
    func copy(to host: inout OwnHost) {
        if failure != nil { return }
        host.tcp = ports.value.tcp
        host.udp = ports.value.udp
        host.knowsPorts = true
    }
}
