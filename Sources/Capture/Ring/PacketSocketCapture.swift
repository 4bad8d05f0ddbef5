import CLinux
import ScanCore
import System

/// Packets of IPv4 and IPv6 from a cooked packet socket with a memory-mapped ring (packet(7)).
///
/// The kernel takes off the link header, and the outer VLAN tag; it hands packets over before netfilter sees them, and
/// before it puts fragments together. One socket serves all interfaces: a single one that is named is bound to, several
/// are told apart by the filter.
public struct PacketSocketCapture: ~Copyable, PacketSource {
    /// How long interfaces may wait while packets keep coming, in nanoseconds.
    private static let longestInterfaceWait: Int64 = 100_000_000

    private let socket: Socket
    private let readable: ReadableSet
    private var ring: PacketRing
    private var intake: RingReader
    private var interfaces: InterfaceMonitor
    private var notices = InterfaceChangeLine()
    private var interfacesRead = Timestamp.now()

    /// Blocks gather packets by themselves.
    public var gatherTime: Int32 { 0 }

    /// Readable when a block is full or old, or when there is news of interfaces.
    public var descriptor: Int32 { readable.descriptor.number }

    @inlinable
    @inline(never)  // for it would stand wherever a capture may end
    deinit {}

    /// Opens the socket. From then on no privilege is needed, also not to follow interfaces.
    ///
    /// - Parameters:
    ///   - selection: the packets that are wanted.
    ///   - key: a secret for the table of fragments.
    /// - Throws: the call that failed; most often the privilege CAP_NET_RAW is missing, or an interface doesn't exist.
    public init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
        var interfaces = try InterfaceMonitor.begin(selection.interfaces)
        // Of no protocol: nothing arrives before the filter is in place and the socket is bound.
        let socket = try Socket(AF_PACKET, SOCK_DGRAM, 0, name: "packet socket")
        let ring = try PacketRing(for: socket)
        let readable = try ReadableSet()
        var intake = try RingReader(selection, key: key)
        try PacketSocketCapture.start(socket, &intake, &interfaces, readable)
        self.socket = socket
        self.ring = ring
        self.interfaces = interfaces
        self.readable = readable
        self.intake = intake
    }

    /// Lets packets in. All that can fail is in one place, for the caller has much to take down then.
    @inline(never)
    private static func start(
        _ socket: borrowing Socket, _ intake: inout RingReader, _ interfaces: inout InterfaceMonitor,
        _ readable: borrowing ReadableSet
    ) throws(SystemError) {
        intake.wanted = interfaces.table.wanted
        if intake.direction == .incoming { try ignoreOutgoing(socket) }
        try filter(socket, for: intake)
        try bind(socket, to: &interfaces.table)
        if intake.promiscuous { try enterPromiscuousMode(socket, of: &interfaces.table) }
        try readable.add(socket)
        try readable.add(interfaces.socket)
    }

    /// Spares the kernel the filter for what the host sends. Linux before 4.20 can't, and the filter does it.
    private static func ignoreOutgoing(_ socket: borrowing Socket) throws(SystemError) {
        do throws(SystemError) {
            try socket.set(PACKET_IGNORE_OUTGOING, level: SOL_PACKET, to: 1, "ignore outgoing packets")
        } catch {
            if error.code != ENOPROTOOPT { throw error }
        }
    }

    /// Hands over every block that is ready, at most the whole ring, then follows the interfaces.
    public mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception {
        let now = Timestamp.now()
        if ring.isReady { intake.times.beginBatch(now: now, realTime: realTime()) }
        let reception = receiveBlocks(into: &sink)
        if reception == .all { intake.times.endBatch() }
        if reception == .nothing || !now.isWithin(PacketSocketCapture.longestInterfaceWait, after: interfacesRead) {
            interfacesRead = now
            try followInterfaces(at: now) { line in sink.log(notice: line) }
        }
        return reception
    }

    /// Hands over every block that is ready, at most the whole ring.
    private mutating func receiveBlocks(into sink: inout some ProbeSink & ~Copyable) -> Reception {
        if !ring.isReady { return .nothing }
        for _ in 0..<Parameters.ringBlockCount {
            if !ring.isReady { return .all }
            let isRead = ring.withBlock { block in intake.read(block, into: &sink) }
            if !isRead { return .full }
            ring.release()
        }
        return .batch
    }

    /// What became of fragments.
    public var fragments: FragmentCounters { intake.fragments }

    /// Counts the packets that found no room in the ring.
    public func makeDropCounter() -> DropCounter {
        var drops = DropCounter()
        drops.add(packetSocket: socket.number, socket.name)
        return drops
    }
}

// MARK: Interfaces

extension PacketSocketCapture {
    /// Logs what became of interfaces, and takes packets from those that are wanted now. What fails is logged as well:
    /// an interface may be gone before we are done with it.
    @inline(never)
    private mutating func followInterfaces(
        at now: Timestamp, log: (LogLine) -> Void
    ) throws(SystemError) {
        // The bound interface went down or away. The socket stays readable until it is told that we know.
        let code = try socket.pendingError()
        if code != 0 && code != ENETDOWN { throw SystemError(socket.name, "receive", code: code) }
        try interfaces.update()
        var isChanged = false
        while let difference = interfaces.table.nextChange() {
            isChanged = true
            if let line = notices.line(difference, at: now) { log(line) }
            if !intake.promiscuous || difference.change != .new { continue }
            do throws(SystemError) {
                try PacketSocketCapture.enterPromiscuousMode(socket, of: difference.index)
            } catch {
                if error.code != ENODEV { log(error.line) }
            }
        }
        if !isChanged || interfaces.table.followsAll { return }
        intake.wanted = interfaces.table.wanted
        do throws(SystemError) {
            try PacketSocketCapture.filter(socket, for: intake)
            try PacketSocketCapture.bind(socket, to: &interfaces.table)
        } catch {
            if error.code != ENODEV { log(error.line) }
        }
    }

    /// Sets the filter for the interfaces that are wanted.
    @inline(never)
    private static func filter(
        _ socket: borrowing Socket, for intake: borrowing RingReader
    ) throws(SystemError) {
        let filter = RingFilter(
            interfaces: intake.wanted, direction: intake.direction, promiscuous: intake.promiscuous,
            interest: intake.interest)
        try socket.attach(filter.instructions.span.extracting(0..<filter.count))
    }

    /// Binds to the only interface that is wanted, if it exists, or to all.
    private static func bind(_ socket: borrowing Socket, to table: inout InterfaceTable) throws(SystemError) {
        let isOne = !table.followsAll && table.count == 1
        guard let index = isOne ? table.index(at: 0) : 0 else { return }
        _ = try check(socket.name, "bind") { clinux_bind_packet(socket.number, index) }
    }

    private static func enterPromiscuousMode(
        _ socket: borrowing Socket, of table: inout InterfaceTable
    ) throws(SystemError) {
        for position in 0..<table.count {
            if let index = table.index(at: position) { try enterPromiscuousMode(socket, of: index) }
        }
    }

    /// Makes an interface promiscuous as long as the socket is open.
    @inline(never)
    private static func enterPromiscuousMode(_ socket: borrowing Socket, of index: Int32) throws(SystemError) {
        var request = packet_mreq()
        request.mr_ifindex = index
        request.mr_type = UInt16(PACKET_MR_PROMISC)
        _ = try check(socket.name, "set promiscuous mode") {
            unsafe setsockopt(
                socket.number, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request,
                socklen_t(MemoryLayout<packet_mreq>.size))
        }
    }
}
