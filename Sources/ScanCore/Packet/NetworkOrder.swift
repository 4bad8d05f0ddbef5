/// The only access to the bytes of a packet: one bounds-checked reader per width, from network to host byte order.
extension Span<UInt8> {
    /// The byte at an offset; ``PacketFault/truncated`` if the packet ends before it.
    @inline(__always)
    package func uint8(at offset: Int) throws(PacketFault) -> UInt8 {
        try load(at: offset)
    }

    /// The two bytes at an offset.
    @inline(__always)
    package func uint16(at offset: Int) throws(PacketFault) -> UInt16 {
        UInt16(bigEndian: try load(at: offset))
    }

    /// The four bytes at an offset.
    @inline(__always)
    package func uint32(at offset: Int) throws(PacketFault) -> UInt32 {
        UInt32(bigEndian: try load(at: offset))
    }

    /// The eight bytes at an offset.
    @inline(__always)
    package func uint64(at offset: Int) throws(PacketFault) -> UInt64 {
        UInt64(bigEndian: try load(at: offset))
    }

    /// A number in the byte order of the packet, loaded at once: byte by byte takes twice the code, and more time.
    @inline(__always)
    private func load<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) throws(PacketFault) -> Number {
        // No overflow is possible: a count is not negative.
        if offset < 0 || offset > count &- MemoryLayout<Number>.size { throw .truncated }
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)  // bounds are checked above
    }
}
