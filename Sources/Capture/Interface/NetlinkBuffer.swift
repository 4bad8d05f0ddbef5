import CLinux
import System

/// Memory for the datagrams of a netlink socket, of which the kernel allocates each page when it is first written to.
@safe @usableFromInline struct NetlinkBuffer: ~Copyable {
    /// The maximum length of a datagram: the kernel describes an interface in one, whose properties take less than
    /// 65,536 bytes, and the rest less than half of what remains.
    @usableFromInline static var size: Int { 81_920 }

    @usableFromInline let memory: UnsafeMutableRawPointer

    /// Maps the memory.
    ///
    /// - Parameter name: its name in error messages.
    init(_ name: CString = "memory for interfaces") throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(NetlinkBuffer.size) else { throw SystemError(name, "map") }
        unsafe self.memory = memory
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe munmap(memory, NetlinkBuffer.size)
    }

    /// Receives a datagram, without blocking, and returns its length.
    ///
    /// - Throws: the kernel's error: EAGAIN if none waits.
    func receive(from socket: borrowing Socket) throws(SystemError) -> Int {
        let length = unsafe clinux_receive_netlink(socket.number, memory, NetlinkBuffer.size)
        if length < 0 { throw SystemError(socket.name, "receive") }
        return length
    }

    /// The bytes of the last datagram, of the given length, valid until the next is received.
    @unsafe func bytes(_ length: Int) -> UnsafeBufferPointer<UInt8> {
        let bytes = unsafe UnsafeRawBufferPointer(start: memory, count: min(length, NetlinkBuffer.size))
        return unsafe bytes.bindMemory(to: UInt8.self)
    }
}
