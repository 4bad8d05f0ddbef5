import CLinux
import ScanCore
import System

/// Packets from raw TCP sockets, one for IPv4 and one for IPv6 (raw(7), ipv6(7)).
///
/// The kernel has reassembled fragments, and removed IPv6 extension headers. Not seen are incoming packets that
/// netfilter drops, and packets that the host itself sends, except on the loopback interface.
public struct RawSocketCapture: ~Copyable, PacketSource {
    /// The maximum number of batches taken from a socket at a time, so that signals are not delayed.
    private static let mostBatches = 16

    private let ipv4: Socket
    private let ipv6: Socket?
    private let readable: ReadableSet
    private var batch = ReceiveBatch()

    /// How long it pays to let packets accumulate: to read each one at once takes three times the time. 0 if
    /// the receive buffer is too small for the packets that arrive meanwhile.
    public let gatherTime: Int32

    /// Readable when a packet waits on either socket.
    public var descriptor: Int32 { readable.descriptor.number }

    @inlinable
    @inline(never)  // otherwise it would be inlined wherever a capture may end
    deinit {}

    /// Opens the sockets. On a kernel without IPv6, only the one for IPv4.
    ///
    /// - Parameters:
    ///   - receiveBuffer: the size of each socket's receive buffer, in bytes.
    ///   - gatherTime: see ``gatherTime``.
    /// - Throws: the error of the call that failed; most often the privilege CAP_NET_RAW is missing.
    public init(receiveBuffer: Int32, gatherTime: Int32) throws(SystemError) {
        let readable = try ReadableSet()
        let ipv4 = try Socket(AF_INET, SOCK_RAW, Int32(IPPROTO_TCP), name: "IPv4 raw socket")
        try ipv4.setReceiveBuffer(receiveBuffer)
        let filter = RawSocketFilter.ipv4
        try ipv4.attach(filter.span)
        try readable.add(ipv4)
        let isLarge = try ipv4.receiveBuffer() / 2 >= receiveBuffer
        ipv6 = try RawSocketCapture.openIPv6(receiveBuffer: receiveBuffer, watchedBy: readable)
        self.ipv4 = ipv4
        self.readable = readable
        self.gatherTime = isLarge ? gatherTime : 0
    }

    /// The packets come without their IPv6 header: its fields are requested as ancillary data (RFC 3542).
    private static func openIPv6(
        receiveBuffer: Int32, watchedBy readable: borrowing ReadableSet
    ) throws(SystemError) -> Socket? {
        let socket: Socket
        do throws(SystemError) {
            socket = try Socket(AF_INET6, SOCK_RAW, Int32(IPPROTO_TCP), name: "IPv6 raw socket")
        } catch {
            if error.code == EAFNOSUPPORT { return nil }
            throw error
        }
        let level = Int32(IPPROTO_IPV6)
        try socket.set(IPV6_RECVPKTINFO, level: level, to: 1, "ask for the destination")
        try socket.set(IPV6_RECVHOPLIMIT, level: level, to: 1, "ask for the hop limit")
        try socket.set(IPV6_RECVTCLASS, level: level, to: 1, "ask for the traffic class")
        try socket.setReceiveBuffer(receiveBuffer)
        let filter = RawSocketFilter.tcp
        try socket.attach(filter.span)
        try readable.add(socket)
        return socket
    }

    /// Delivers waiting packets of both sockets.
    public mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception {
        var (fromIPv4, fromIPv6) = (ReceiveBatch.count, ReceiveBatch.count)
        var total = 0
        for _ in 0..<RawSocketCapture.mostBatches {
            if fromIPv4 == ReceiveBatch.count { fromIPv4 = try receive(isIPv6: false, into: &sink) }
            if fromIPv6 == ReceiveBatch.count { fromIPv6 = try receive(isIPv6: true, into: &sink) }
            total += fromIPv4 + fromIPv6
            if max(fromIPv4, fromIPv6) < ReceiveBatch.count { return total > 0 ? .all : .nothing }
        }
        return .batch
    }

    @inline(never)
    private mutating func receive(
        isIPv6: Bool, into sink: inout some ProbeSink & ~Copyable
    ) throws(SystemError) -> Int {
        let received = try receiveBatch(isIPv6: isIPv6)
        if received == 0 { return 0 }
        let time = BatchTime()
        for index in 0..<received {
            do throws(PacketFault) {
                let probe = isIPv6 ? try batch.ipv6Probe(index) : try batch.ipv4Probe(index)
                sink.receive(probe, at: time.now, realTime: time.realTime)
            } catch {
                sink.count(error)
            }
        }
        return received
    }

    private mutating func receiveBatch(isIPv6: Bool) throws(SystemError) -> Int {
        if !isIPv6 { return try batch.receive(from: ipv4, withAncillary: false) }
        switch ipv6 {
        case .some(let socket): return try batch.receive(from: socket, withAncillary: true)
        case .none: return 0
        }
    }

    /// All zero: the kernel reassembles fragments.
    public var fragments: FragmentCounters { FragmentCounters() }

    /// Counts the packets that did not fit into a socket's receive buffer.
    public func makeDropCounter() -> DropCounter {
        var drops = DropCounter()
        drops.add(rawSocket: ipv4.number, ipv4.name)
        switch ipv6 {
        case .some(let socket): drops.add(rawSocket: socket.number, socket.name)
        case .none: break
        }
        return drops
    }
}

extension ReceiveBatch {
    /// The probe in a packet of the last batch, which begins with its IPv4 header.
    @inline(never)
    fileprivate func ipv4Probe(_ index: Int) throws(PacketFault) -> Probe {
        try withPacket(index) { (packet) throws(PacketFault) in try Probe(packet: packet) }
    }

    /// The probe in a packet of the last batch, with the fields of its IPv6 header from ancillary data.
    @inline(never)
    fileprivate func ipv6Probe(_ index: Int) throws(PacketFault) -> Probe {
        let beside = ancillary(index)
        if !beside.has_destination { throw .malformed }
        return try withPacket(index) { (header) throws(PacketFault) in
            try Probe(
                tcpHeader: header, source: Address(source(index)), destination: Address(beside.destination),
                typeOfService: UInt8(truncatingIfNeeded: beside.traffic_class),
                timeToLive: UInt8(truncatingIfNeeded: beside.hop_limit))
        }
    }
}

extension Address {
    /// An address in the C library's form, which is in network byte order.
    init(_ address: in6_addr) {
        let halves = unsafe unsafeBitCast(address, to: InlineArray<2, UInt64>.self)  // 16 plain bytes either way
        self.init(ipv6High: UInt64(bigEndian: halves[0]), low: UInt64(bigEndian: halves[1]))
    }
}
