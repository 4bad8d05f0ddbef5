import CLinux
import ScanCore
import System

/// Fixed memory for receiving many packets at a time.
@safe @usableFromInline struct ReceiveBatch: ~Copyable {
    /// The maximum number of packets in a batch.
    static let count = 64

    /// The bytes kept of each packet: a 60-byte IP header and the relevant 20 bytes of the TCP header, and a margin.
    static let packetSize = 96

    @usableFromInline let headers: UnsafeMutableBufferPointer<mmsghdr>
    @usableFromInline let vectors: UnsafeMutableBufferPointer<iovec>
    @usableFromInline let names: UnsafeMutableBufferPointer<sockaddr_in6>
    @usableFromInline let data: UnsafeMutableBufferPointer<UInt8>
    @usableFromInline let control: UnsafeMutableBufferPointer<UInt64>  // aligned as control messages must be
    private let controlSize = clinux_ipv6_ancillary_size()

    init() {
        unsafe headers = .allocate(capacity: ReceiveBatch.count)
        unsafe vectors = .allocate(capacity: ReceiveBatch.count)
        unsafe names = .allocate(capacity: ReceiveBatch.count)
        unsafe data = .allocate(capacity: ReceiveBatch.count * ReceiveBatch.packetSize)
        unsafe control = .allocate(capacity: ReceiveBatch.count * (controlSize + 7) / 8)
        unsafe headers.initialize(repeating: mmsghdr())
        unsafe vectors.initialize(repeating: iovec())
        unsafe names.initialize(repeating: sockaddr_in6())
        unsafe data.initialize(repeating: 0)
        unsafe control.initialize(repeating: 0)
        for index in 0..<ReceiveBatch.count {
            // Every pointer below leads into one of the buffers above, which live as long as the batch.
            unsafe vectors[index].iov_base = UnsafeMutableRawPointer(
                data.baseAddress?.advanced(by: index * ReceiveBatch.packetSize))
            unsafe vectors[index].iov_len = ReceiveBatch.packetSize
            unsafe headers[index].msg_hdr.msg_iov = vectors.baseAddress?.advanced(by: index)
            unsafe headers[index].msg_hdr.msg_iovlen = 1
        }
    }

    @inlinable  // Embedded Swift must see a deinit to call it from another module
    deinit {
        unsafe headers.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe data.deallocate()
        unsafe control.deallocate()
    }

    /// Receives the waiting packets of a socket, without blocking; 0 if there are none.
    @inline(never)
    mutating func receive(from socket: borrowing Socket, withAncillary: Bool) throws(SystemError) -> Int {
        setAncillaryBuffers(withAncillary)
        let received = unsafe recvmmsg(
            socket.number, headers.baseAddress, UInt32(ReceiveBatch.count), Int32(MSG_DONTWAIT), nil)
        if received >= 0 { return Int(received) }
        let error = SystemError(socket.name, "receive")
        if error.code == EAGAIN || error.code == EINTR { return 0 }
        throw error
    }

    /// Sets the buffers for addresses and control messages, or none, so that the kernel does not write them in vain. It
    /// overwrites the lengths each time.
    private mutating func setAncillaryBuffers(_ areWanted: Bool) {
        let words = (controlSize + 7) / 8
        for index in 0..<ReceiveBatch.count {
            if !areWanted {
                unsafe headers[index].msg_hdr.msg_name = nil
                unsafe headers[index].msg_hdr.msg_namelen = 0
                unsafe headers[index].msg_hdr.msg_control = nil
                unsafe headers[index].msg_hdr.msg_controllen = 0
                continue
            }
            unsafe headers[index].msg_hdr.msg_name = UnsafeMutableRawPointer(
                names.baseAddress?.advanced(by: index))
            unsafe headers[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe headers[index].msg_hdr.msg_control = UnsafeMutableRawPointer(
                control.baseAddress?.advanced(by: index * words))
            unsafe headers[index].msg_hdr.msg_controllen = controlSize
        }
    }

    /// Passes the bytes of a packet of the last batch to a function.
    func withPacket<Result>(
        _ index: Int, _ body: (Span<UInt8>) throws(PacketFault) -> Result
    ) throws(PacketFault) -> Result {
        let length = unsafe min(Int(headers[index].msg_len), ReceiveBatch.packetSize)
        let start = index * ReceiveBatch.packetSize
        return try body(unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(data)[start..<start + length]).span)
    }

    /// The source address of a packet of the last batch, for IPv6.
    func source(_ index: Int) -> in6_addr { unsafe names[index].sin6_addr }

    /// The ancillary data of a packet of the last batch, for IPv6.
    func ancillary(_ index: Int) -> clinux_ipv6_ancillary {
        unsafe withUnsafeMutablePointer(to: &headers[index].msg_hdr) { message in
            unsafe clinux_ipv6_ancillary(message)
        }
    }
}
