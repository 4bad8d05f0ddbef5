import CLinux
import ScanCore
import System

/// Packets of IPv4 and IPv6 from a cooked packet socket with a memory-mapped ring (packet(7)).
///
/// The kernel removes the link header, and the outer VLAN tag; it delivers packets before netfilter sees them, and
/// before it reassembles fragments. One socket serves all interfaces: to a single named one it is bound, several are
/// selected by the filter.
public struct PacketSocketCapture: ~Copyable, PacketSource {
    /// How long messages about interfaces may wait while packets keep arriving, in nanoseconds.
    private static let longestInterfaceWait: Int64 = 100_000_000

    private let socket: Socket
    private let readable: ReadableSet
    private var ring: PacketRing
    private var intake: RingReader
    private var interfaces: InterfaceMonitor
    private var notices = InterfaceChangeLine()
    private var interfacesRead = Timestamp.now()

    /// The kernel accumulates packets in blocks.
    public var gatherTime: Int32 { 0 }

    /// Readable when a block is full or has timed out, or when messages about interfaces wait.
    public var descriptor: Int32 { readable.descriptor.number }

    @inlinable
    @inline(never)  // otherwise it would be inlined wherever a capture may end
    deinit {}

    /// Opens the socket. After that no privilege is needed, not even to follow interfaces.
    ///
    /// - Parameters:
    ///   - selection: the packets that are wanted.
    ///   - key: a secret for the table of fragments.
    /// - Throws: the error of the call that failed; most often the privilege CAP_NET_RAW is missing, or an interface
    ///   doesn't exist.
    public init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
        var interfaces = try InterfaceMonitor.begin(selection.interfaces)
        // Without a protocol: nothing arrives before the filter is attached and the socket is bound.
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

    /// Starts the capture. All calls that can fail are in one place, for the caller has much to release after a
    /// failure.
    @inline(never)
    private static func start(
        _ socket: borrowing Socket, _ intake: inout RingReader, _ interfaces: inout InterfaceMonitor,
        _ readable: borrowing ReadableSet
    ) throws(SystemError) {
        intake.wanted = interfaces.table.wanted
        if intake.direction == .incoming && !intake.ownAnswers { try ignoreOutgoing(socket) }
        try filter(socket, for: intake)
        try bind(socket, to: &interfaces.table)
        if intake.promiscuous { try enterPromiscuousMode(socket, of: &interfaces.table) }
        try readable.add(socket)
        try readable.add(interfaces.socket)
    }

    /// Skips the filter for packets that the host sends. Linux before 4.20 can't; the filter drops them there.
    private static func ignoreOutgoing(_ socket: borrowing Socket) throws(SystemError) {
        do throws(SystemError) {
            try socket.set(PACKET_IGNORE_OUTGOING, level: SOL_PACKET, to: 1, "ignore outgoing packets")
        } catch {
            if error.code != ENOPROTOOPT { throw error }
        }
    }

    /// Delivers every block that is ready, at most the whole ring, then follows the interfaces.
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

    /// Delivers every block that is ready, at most the whole ring.
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

    /// Sets the filter anew, so that other packets pass too.
    public mutating func admit(_ others: OtherPackets) throws(SystemError) {
        intake.others = others
        try PacketSocketCapture.filter(socket, for: intake)
    }

    /// The counters of fragments.
    public var fragments: FragmentCounters { intake.fragments }

    /// Counts the packets that did not fit into the ring.
    public func makeDropCounter() -> DropCounter {
        var drops = DropCounter()
        drops.add(packetSocket: socket.number, socket.name)
        return drops
    }
}

// MARK: Interfaces

extension PacketSocketCapture {
    /// Logs changes of interfaces, and captures from those that are wanted now. Errors are logged as well: an interface
    /// may disappear before this is done.
    @inline(never)
    private mutating func followInterfaces(
        at now: Timestamp, log: (LogLine) -> Void
    ) throws(SystemError) {
        // The bound interface went down or away. The socket stays readable until its error has been read.
        let code = try socket.pendingError()
        if code != 0 && code != ENETDOWN { throw SystemError(socket.name, "receive", code: code) }
        try interfaces.update()
        var isChanged = false
        var new = InterfaceIndexes()
        while let difference = interfaces.table.nextChange() {
            isChanged = true
            if let line = notices.line(difference, at: now) { log(line) }
            if difference.change == .new && new.count < InterfaceNames.most { new.append(difference.index) }
        }
        if !isChanged || interfaces.table.followsAll { return }
        intake.wanted = interfaces.table.wanted
        do throws(SystemError) {
            try PacketSocketCapture.filter(socket, for: intake)
            try PacketSocketCapture.bind(socket, to: &interfaces.table)
        } catch {
            if error.code != ENODEV { log(error.line) }
        }
        if !intake.promiscuous { return }
        for position in 0..<new.count {
            do throws(SystemError) {
                try PacketSocketCapture.enterPromiscuousMode(socket, of: new[position])
            } catch {
                if error.code != ENODEV { log(error.line) }
            }
        }
    }

    /// Sets the filter for the interfaces that are wanted.
    @inline(never)
    private static func filter(
        _ socket: borrowing Socket, for intake: borrowing RingReader
    ) throws(SystemError) {
        let filter = RingFilter(
            interfaces: intake.wanted, direction: intake.direction, promiscuous: intake.promiscuous,
            interest: intake.interest, others: intake.others, ownAnswers: intake.ownAnswers)
        try socket.attach(filter.instructions.span.extracting(0..<filter.count))
    }

    /// Binds to the interface that is wanted, if it is only one and it exists, or to all.
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

    /// Puts an interface into promiscuous mode as long as the socket is open.
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
