import CLinux
import ScanCore
import System

/// Counts packets that the kernel dropped because a capture's sockets had no room for them.
///
/// There must be only one for a capture: reading the counter of a packet socket resets it. The capture, which owns the
/// sockets, must outlive it.
public struct DropCounter: ~Copyable {
    private var sockets = InlineArray<16, CountedSocket?>(repeating: nil)
    private var count = 0

    /// A counter without sockets.
    package init() {}

    /// Adds a packet socket. At most 16 sockets can be added.
    ///
    /// - Parameter name: the name for errors.
    mutating func add(packetSocket number: Int32, _ name: CString) {
        add(CountedSocket(number, name, .packet))
    }

    /// Adds a raw socket: see ``add(packetSocket:_:)``.
    mutating func add(rawSocket number: Int32, _ name: CString) {
        add(CountedSocket(number, name, .raw))
    }

    private mutating func add(_ socket: CountedSocket) {
        sockets[count] = socket
        count += 1
    }

    /// Reads the kernel's counters. Returns how many packets were dropped since the start.
    public mutating func update() throws(SystemError) -> UInt64 {
        var total: UInt64 = 0
        for index in 0..<count {
            guard var socket = sockets[index] else { continue }
            try socket.update()
            sockets[index] = socket
            total &+= socket.total
        }
        return total
    }
}

/// A socket whose dropped packets are counted.
private struct CountedSocket {
    /// How the kernel counts.
    enum Kind {
        /// Since the last read (packet(7), PACKET_STATISTICS).
        case packet
        /// Since the start, modulo 2^32 (SO_MEMINFO).
        case raw
    }

    let number: Int32
    let name: CString
    let kind: Kind
    private var wrapping = WrappingCount()
    private var sum: UInt64 = 0

    init(_ number: Int32, _ name: CString, _ kind: Kind) {
        self.number = number
        self.name = name
        self.kind = kind
    }

    /// How many packets were dropped since the start, as last read.
    var total: UInt64 { sum &+ wrapping.total }

    mutating func update() throws(SystemError) {
        switch kind {
        case .packet: sum &+= try newPacketSocketDrops()
        case .raw: wrapping.update(try rawSocketDrops())
        }
    }

    private func newPacketSocketDrops() throws(SystemError) -> UInt64 {
        var counts = tpacket_stats_v3()
        var length = socklen_t(MemoryLayout<tpacket_stats_v3>.size)
        _ = try check(name, "read drop count") {
            unsafe getsockopt(number, SOL_PACKET, PACKET_STATISTICS, &counts, &length)
        }
        return UInt64(counts.tp_drops)
    }

    private func rawSocketDrops() throws(SystemError) -> UInt32 {
        let count = clinux_socket_drops(number)
        if count < 0 { throw SystemError(name, "read drop count") }
        return UInt32(truncatingIfNeeded: count)
    }
}
