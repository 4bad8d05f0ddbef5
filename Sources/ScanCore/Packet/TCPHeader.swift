/// Where things are in a TCP header (RFC 9293, section 3.1), in bytes.
enum TCPHeader {
    /// The length of the shortest.
    static var length: Int { 20 }
    /// Where the length is, in units of 4 bytes, in the upper half of a byte. The flags are the byte behind it.
    static var dataOffset: Int { 12 }
}

extension TCPFlags {
    /// The flags of a header that begins at an offset; `nil` if the bytes end before them.
    init?(inHeaderAt offset: Int, of bytes: Span<UInt8>) {
        let place = offset + TCPHeader.dataOffset + 1
        if place >= bytes.count { return nil }
        self.init(rawValue: bytes[place])
    }
}

extension Span<UInt8> {
    /// Whether a TCP header that begins at an offset says that it is shorter than any can be, as far as its bytes are here.
    ///
    /// The field is in the same 8 bytes as the flags: where fragments divide a header, one that holds these holds it too, and
    /// what a host joins has it from there.
    func hasTooShortTCPHeader(at offset: Int) -> Bool {
        let place = offset + TCPHeader.dataOffset
        return place < count && Int(self[place] >> 4) * 4 < TCPHeader.length
    }
}
