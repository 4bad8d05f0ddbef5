import CLinux
import ScanCore
import System

/// The addresses of this host, kept in sync with the kernel (rtnetlink(7)), in the network namespace in which it was
/// opened.
///
/// It is opened with privileges, and then works without any. The only system calls of ``update(_:_:)`` are sendto(2) and
/// recvfrom(2).
struct HostAddresses: ~Copyable {
    /// The most datagrams that are read at a time.
    private static let mostDatagrams = 1024
    /// How often a dump is begun, if addresses change meanwhile.
    private static let mostAttempts = 3

    /// Readable when addresses have changed.
    let socket: Socket
    private let buffer: NetlinkBuffer
    /// Whether they may have changed since they were read.
    private var isStale = true
    /// How many addresses the set had no room for.
    private(set) var omitted = 0

    /// Subscribes to changes.
    init() throws(SystemError) {
        let socket = try Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, name: "list of addresses")
        _ = try check(socket.name, "bind") {
            clinux_bind_netlink(socket.number, UInt32(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        }
        buffer = try NetlinkBuffer("memory for addresses")
        self.socket = socket
    }

    /// Makes a set that of the present addresses, without blocking.
    ///
    /// - Throws: the kernel's error. Then the set is as before, and the next call tries again.
    mutating func update(_ addresses: inout AddressSet, _ key: HashKey) throws(SystemError) {
        while let length = try receive() { note(length) }
        for _ in 0..<HostAddresses.mostAttempts where isStale {
            var fresh = AddressSet()
            try read(into: &fresh, key)
            addresses = fresh
        }
    }

    /// The length of the next datagram, `nil` if none waits. Lost ones count as a change.
    private mutating func receive() throws(SystemError) -> Int? {
        do throws(SystemError) {
            return try buffer.receive(from: socket)
        } catch {
            switch error.code {
            case EAGAIN: return nil
            case EINTR: return 0
            case ENOBUFS:
                isStale = true
                return 0
            default: throw error
            }
        }
    }

    /// Any message is about a change.
    private mutating func note(_ length: Int) {
        if length > 0 { isStale = true }
    }

    /// Reads all addresses. If one is removed meanwhile, the list is stale again.
    private mutating func read(into addresses: inout AddressSet, _ key: HashKey) throws(SystemError) {
        isStale = false
        omitted = 0
        do throws(SystemError) {
            _ = try check(socket.name, "ask") { clinux_request_addresses(socket.number, AF_UNSPEC) }
            for _ in 0..<HostAddresses.mostDatagrams {
                guard let length = try receive() else { break }
                if try readDatagram(length, into: &addresses, key) { return }
            }
            throw SystemError(socket.name, "read", because: "it does not end")
        } catch {
            isStale = true
            throw error
        }
    }

    /// Adds the addresses of a datagram; whether it ends the list.
    private mutating func readDatagram(
        _ length: Int, into addresses: inout AddressSet, _ key: HashKey
    ) throws(SystemError) -> Bool {
        let datagram = unsafe buffer.bytes(length)
        var messages = RouteMessages()
        do throws(NetlinkFault) {
            while let item = try messages.next(in: unsafe datagram.span) {
                switch item {
                case .address(let address): if !addresses.insert(address, key) { omitted += 1 }
                case .addressRemoved: isStale = true
                case .endOfList:
                    isStale = isStale || messages.areInterrupted
                    return true
                case .refused(let code): throw NetlinkFault.refused(code)
                case .link, .gone, .other: break
                }
            }
            return false
        } catch {
            switch error {
            case .refused(let code): throw SystemError(socket.name, "read", code: code)
            case .malformed: throw SystemError(socket.name, "read", because: "a malformed message")
            }
        }
    }
}
