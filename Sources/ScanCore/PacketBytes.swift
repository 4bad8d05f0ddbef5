/// The only door to the bytes of a packet: one reader for each width, network order to host order.
extension Span<UInt8> {
    /// The byte at an offset; ``PacketFault/truncated`` if the packet ends before it.
    @inline(__always)
    package func uint8(at offset: Int) throws(PacketFault) -> UInt8 {
        if offset < 0 || offset >= count { throw .truncated }
        return self[offset]
    }

    /// The two bytes from an offset on.
    @inline(__always)
    package func uint16(at offset: Int) throws(PacketFault) -> UInt16 {
        UInt16(try uint8(at: offset)) << 8 | UInt16(try uint8(at: offset + 1))
    }

    /// The four bytes from an offset on.
    @inline(__always)
    package func uint32(at offset: Int) throws(PacketFault) -> UInt32 {
        UInt32(try uint16(at: offset)) << 16 | UInt32(try uint16(at: offset + 2))
    }

    /// The eight bytes from an offset on.
    @inline(__always)
    package func uint64(at offset: Int) throws(PacketFault) -> UInt64 {
        UInt64(try uint32(at: offset)) << 32 | UInt64(try uint32(at: offset + 4))
    }
}
