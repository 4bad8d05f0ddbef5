import CLinux
import ScanCore
import System

/// Keeps a table of interfaces in sync with the kernel (rtnetlink(7)).
@safe @usableFromInline struct InterfaceMonitor: ~Copyable {
    /// The maximum number of datagrams read at a time, so that packets are not delayed.
    private static let mostDatagrams = 64
    /// Readable when messages wait.
    let socket: Socket

    /// The known interfaces.
    var table: InterfaceTable {
        _read { yield tableBox.value }
        _modify { yield &tableBox.value }
    }

    private var tableBox: Box<InterfaceTable>

    private let buffer: NetlinkBuffer
    /// Whether a dump is being read.
    private var isListing = false
    /// Whether the dump being read is inconsistent.
    private var isListBroken = false
    /// Whether messages were lost, so that a dump is needed.
    private var isStale = false

    /// Subscribes to messages, and reads the existing interfaces. None of them counts as a change, except for a named
    /// one that is down.
    ///
    /// Messages are waiting when it returns.
    ///
    /// - Throws: the error of the call that failed, or that a named interface doesn't exist.
    @inline(never)
    static func begin(_ names: InterfaceNames) throws(SystemError) -> InterfaceMonitor {
        let socket = try Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, name: "netlink socket")
        _ = try check(socket.name, "bind") { clinux_bind_netlink(socket.number, UInt32(RTMGRP_LINK)) }
        var watch = try InterfaceMonitor(socket, names)
        try watch.readFirstList()
        return watch
    }

    private init(_ socket: consuming Socket, _ names: InterfaceNames) throws(SystemError) {
        let buffer = try NetlinkBuffer()
        let tableBox = try Box { () throws(SystemError) in try InterfaceTable(names) }
        self.socket = socket
        self.tableBox = tableBox
        self.buffer = buffer
    }

    /// The kernel replies during the request, so nothing blocks; interfaces that appear or disappear meanwhile restart
    /// the dump.
    private mutating func readFirstList() throws(SystemError) {
        isStale = true
        for _ in 0..<16 where isStale || isListing { try update() }
        try table.checkRequests()
        table.markReportedExceptDown()
        try requestList()  // makes the socket readable, so that named interfaces that are down are reported
    }

    /// Applies waiting messages to the table, without blocking.
    @inline(never)
    mutating func update() throws(SystemError) {
        for _ in 0..<InterfaceMonitor.mostDatagrams {
            do throws(SystemError) {
                read(try buffer.receive(from: socket))
            } catch {
                switch error.code {
                case EINTR: continue
                case ENOBUFS: isStale = true  // more messages than the socket can hold: some are lost
                case EAGAIN:
                    // Only now, with an empty queue, is the kernel able to report changes during the dump.
                    if !isStale || isListing { return }
                    try requestList()
                default: throw error
                }
            }
        }
    }

    @inline(never)
    private mutating func requestList() throws(SystemError) {
        _ = try check(socket.name, "ask for interfaces") { clinux_request_links(socket.number) }
        isStale = false
        isListing = true
        isListBroken = false
        table.beginList()
    }

    @inline(never)
    private mutating func read(_ length: Int) {
        let datagram = unsafe buffer.bytes(length)
        var messages = RouteMessages()
        do throws(NetlinkFault) {
            while let item = try messages.next(in: unsafe datagram.span) {
                if messages.areInterrupted { isListBroken = true }
                apply(item, in: unsafe datagram.span)
            }
        } catch {
            // A malformed message of the kernel: what could be read is applied, and a repeated request would give the
            // same.
        }
    }

    private mutating func apply(_ item: RouteMessages.Item, in datagram: Span<UInt8>) {
        switch item {
        case .link(let link): table.update(link, in: datagram)
        case .gone(let index): table.remove(index)
        case .endOfList:
            if isListing && !isListBroken { table.endList() }
            isStale = isStale || isListBroken
            isListing = false
        case .refused:
            isListing = false  // most often another dump is in progress; the next message triggers a retry
        case .address, .addressRemoved, .other: break
        }
    }
}
