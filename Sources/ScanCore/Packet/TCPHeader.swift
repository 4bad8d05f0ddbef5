/// The layout of the TCP header (RFC 9293, section 3.1), in bytes.
enum TCPHeader {
    /// The minimum length.
    static var length: Int { 20 }
    /// The offset of the header length, in units of 4 bytes, in the upper half of a byte. The flags are the next byte.
    static var dataOffset: Int { 12 }
}

extension TCPFlags {
    /// Reads the flags of a header at an offset; `nil` if the bytes end before them.
    init?(inHeaderAt offset: Int, of bytes: Span<UInt8>) {
        let place = offset + TCPHeader.dataOffset + 1
        if place >= bytes.count { return nil }
        self.init(rawValue: bytes[place])
    }
}

extension Span<UInt8> {
    /// Whether the length field of a TCP header at an offset is below the minimum, if the bytes hold that field.
    ///
    /// The field is in the same 8 bytes as the flags: a fragment that holds the flags holds it too, and a host that
    /// reassembles the packet takes it from there.
    func hasTooShortTCPHeader(at offset: Int) -> Bool {
        let place = offset + TCPHeader.dataOffset
        return place < count && Int(self[place] >> 4) * 4 < TCPHeader.length
    }
}
