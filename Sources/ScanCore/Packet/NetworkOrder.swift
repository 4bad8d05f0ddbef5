/// The only door to the bytes of a packet: one reader for each width, network order to host order.
extension Span<UInt8> {
    /// The byte at an offset; ``PacketFault/truncated`` if the packet ends before it.
    @inline(__always)
    package func uint8(at offset: Int) throws(PacketFault) -> UInt8 {
        try load(at: offset)
    }

    /// The two bytes from an offset on.
    @inline(__always)
    package func uint16(at offset: Int) throws(PacketFault) -> UInt16 {
        UInt16(bigEndian: try load(at: offset))
    }

    /// The four bytes from an offset on.
    @inline(__always)
    package func uint32(at offset: Int) throws(PacketFault) -> UInt32 {
        UInt32(bigEndian: try load(at: offset))
    }

    /// The eight bytes from an offset on.
    @inline(__always)
    package func uint64(at offset: Int) throws(PacketFault) -> UInt64 {
        UInt64(bigEndian: try load(at: offset))
    }

    /// A number as its bytes are in memory, read in one go: byte by byte takes twice the code, and more time.
    @inline(__always)
    private func load<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) throws(PacketFault) -> Number {
        // Nothing can overflow: a count is not negative.
        if offset < 0 || offset > count &- MemoryLayout<Number>.size { throw .truncated }
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)  // within the bytes
    }
}
