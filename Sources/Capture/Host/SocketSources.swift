import CLinux
import ScanCore
import System

/// Where the lists of sockets are read: by netlink, and where the kernel can't list them so, in /proc/net.
struct SocketSources: ~Copyable {
    private enum Source: ~Copyable {
        case dump
        case table(SocketTable)
        /// The kernel has no such sockets.
        case none
    }

    private var dump: SocketDump?
    /// Why there is no netlink socket.
    private var dumpFailure: SystemError?
    private var sources: InlineArray<4, Source>

    /// Opens the netlink socket.
    init() {
        sources = InlineArray { _ in .dump }
        do throws(SystemError) {
            dump = try SocketDump()
        } catch {
            dumpFailure = error
        }
    }

    /// Finds where a list can be read, which takes privileges, and reads it.
    ///
    /// - Throws: why it can't be read by netlink, if it can't be read at all.
    mutating func open(_ list: SocketList, into ports: inout PortMap) throws(SystemError) {
        let failure: SystemError
        do throws(SystemError) {
            return try read(list, into: &ports)
        } catch {
            failure = error
        }
        do throws(SystemError) {
            let table = try SocketTable(list)
            try table.read(into: &ports)
            sources[list.rawValue] = .table(table)
        } catch {
            if !list.isIPv6 || SocketSources.hasIPv6 { throw failure }
            sources[list.rawValue] = .none
        }
    }

    /// Adds the ports of a list.
    ///
    /// - Throws: an error if it can't be read to its end. Some of the ports may have been added.
    mutating func read(_ list: SocketList, into ports: inout PortMap) throws(SystemError) {
        switch sources[list.rawValue] {
        case .dump: break
        case .table(let table): return try table.read(into: &ports)
        case .none: return
        }
        if let dumpFailure { throw dumpFailure }
        try dump?.read(list, into: &ports)
    }

    /// Whether the kernel has IPv6.
    private static var hasIPv6: Bool {
        do throws(SystemError) {
            _ = try Socket(AF_INET6, SOCK_DGRAM, 0, name: "IPv6 socket")
            return true
        } catch {
            return error.code != EAFNOSUPPORT
        }
    }
}
