import CLinux
import ScanCore
import System

/// Keeps a table of interfaces true to what the kernel says of them (rtnetlink(7)).
@safe @usableFromInline struct InterfaceMonitor: ~Copyable {
    /// The most datagrams read at a time, so that packets are not kept waiting.
    private static let mostDatagrams = 64
    /// Readable when there is news.
    let socket: Socket

    /// The interfaces as they are known.
    var table: InterfaceTable {
        _read { yield tableBox.value }
        _modify { yield &tableBox.value }
    }

    private var tableBox: Box<InterfaceTable>

    private let buffer: NetlinkBuffer
    /// Whether a list is being read.
    private var isListing = false
    /// Whether the list being read is worth nothing.
    private var isListBroken = false
    /// Whether news was lost, so that a list is needed.
    private var isStale = false

    /// Begins to listen, and reads which interfaces there are. None of it is a change, but that a named one is down.
    ///
    /// News wait when it is done.
    ///
    /// - Throws: the call that failed, or that a named interface doesn't exist.
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

    /// The kernel answers while it is asked, so nothing is waited for; interfaces that come and go meanwhile make it
    /// begin again.
    private mutating func readFirstList() throws(SystemError) {
        isStale = true
        for _ in 0..<16 where isStale || isListing { try update() }
        try table.checkRequests()
        table.markReportedExceptDown()
        try requestList()  // so that it is told
    }

    /// Reads what news there is into the table, without waiting.
    @inline(never)
    mutating func update() throws(SystemError) {
        for _ in 0..<InterfaceMonitor.mostDatagrams {
            do throws(SystemError) {
                read(try buffer.receive(from: socket))
            } catch {
                switch error.code {
                case EINTR: continue
                case ENOBUFS: isStale = true  // more news than the socket can hold: some are lost
                case EAGAIN:
                    // Only now, with nothing waiting, will the kernel tell what happens while the list is made.
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
            // The kernel's mistake: what could be read is taken, and asking again would give the same.
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
            isListing = false  // most often another list is being made; the next news tells
        case .other: break
        }
    }
}
