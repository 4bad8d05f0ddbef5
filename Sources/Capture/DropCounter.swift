import CLinux
import ScanCore
import System

/// How many packets the kernel dropped because a capture's sockets had no room for them.
///
/// For one owner: the kernel forgets what it has said of a packet socket. The capture, whose sockets these are, must
/// outlive it.
public struct DropCounter: ~Copyable {
    private var sockets = InlineArray<16, CountedSocket?>(repeating: nil)
    private var count = 0

    /// None, of no sockets.
    package init() {}

    /// Adds a packet socket. At most 16 sockets can be added.
    ///
    /// - Parameter name: what errors call it.
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

    /// Asks the kernel: how many packets were dropped since the start.
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

/// A socket of which is counted what it had no room for.
private struct CountedSocket {
    /// How the kernel counts.
    enum Kind {
        /// From the last time that it was asked (packet(7), PACKET_STATISTICS).
        case packet
        /// From the start, modulo 2^32 (SO_MEMINFO).
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

    /// How many packets there were since the start, when the kernel was asked last.
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
