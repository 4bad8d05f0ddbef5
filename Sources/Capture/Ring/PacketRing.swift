import CLinux
import ScanCore
import System

/// Memory that the kernel writes a socket's packets into, block by block (packet(7), PACKET_RX_RING; packet_mmap.rst of
/// the kernel's documentation, TPACKET_V3).
///
/// A block is the kernel's until it is full or times out, then ours until it is released. They are used in order.
@safe @usableFromInline struct PacketRing: ~Copyable {
    @usableFromInline let memory: UnsafeMutableRawPointer
    @usableFromInline static var size: Int { Parameters.ringBlockSize * Parameters.ringBlockCount }

    private var current = 0

    /// Sets a socket's ring up, before the socket is bound.
    init(for socket: borrowing Socket) throws(SystemError) {
        let version = Int32(TPACKET_V3.rawValue)
        try socket.set(PACKET_VERSION, level: SOL_PACKET, to: version, "set ring version")
        let frame = 2048  // not used in this version, but must divide the block
        var request = tpacket_req3(
            tp_block_size: UInt32(Parameters.ringBlockSize), tp_block_nr: UInt32(Parameters.ringBlockCount),
            tp_frame_size: UInt32(frame), tp_frame_nr: UInt32(PacketRing.size / frame),
            tp_retire_blk_tov: UInt32(Parameters.ringBlockTimeout), tp_sizeof_priv: 0, tp_feature_req_word: 0)
        _ = try check(socket.name, "set up ring") {
            unsafe setsockopt(
                socket.number, SOL_PACKET, PACKET_RX_RING, &request, socklen_t(MemoryLayout<tpacket_req3>.size))
        }
        guard let memory = unsafe clinux_map_ring(socket.number, PacketRing.size) else {
            throw SystemError(socket.name, "map ring")
        }
        unsafe self.memory = memory
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe munmap(memory, PacketRing.size)
    }

    private var block: UnsafeMutableRawPointer { unsafe memory + current * Parameters.ringBlockSize }

    /// Whether the next block is ours.
    var isReady: Bool { unsafe clinux_block_is_ready(block) }

    /// Passes the next block, which must be ours, to a function.
    func withBlock<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(
            unsafe UnsafeRawBufferPointer(start: block, count: Parameters.ringBlockSize).bindMemory(to: UInt8.self).span
        )
    }

    /// Returns the next block to the kernel, and advances to the one behind it.
    mutating func release() {
        unsafe clinux_release_block(block)
        current = current + 1 == Parameters.ringBlockCount ? 0 : current + 1
    }
}
