/// A capture file in memory: the classic pcap format, in both byte orders, with micro- or nanoseconds.
struct PacketFile {
    struct Packet: Equatable {
        /// When it was captured, in nanoseconds since 1970 UTC.
        var time: Int64
        /// What was captured of it, from the link header on.
        var frame: [UInt8]
    }

    enum Fault: Error { case notPcap, cutOff }

    /// What the frames begin with (the LINKTYPE_ registry of tcpdump.org).
    let linkType: UInt32
    let packets: [Packet]

    init(_ bytes: [UInt8]) throws {
        func word(at offset: Int, bigEndian: Bool) throws -> UInt32 {
            guard offset + 4 <= bytes.count else { throw Fault.cutOff }
            let octets = bytes[offset..<offset + 4]
            return (bigEndian ? [UInt8](octets) : octets.reversed()).reduce(0) { $0 << 8 | UInt32($1) }
        }
        let bigEndian: Bool
        let unit: Int64
        switch try word(at: 0, bigEndian: true) {
        case 0xa1b2_c3d4: (bigEndian, unit) = (true, 1000)
        case 0xd4c3_b2a1: (bigEndian, unit) = (false, 1000)
        case 0xa1b2_3c4d: (bigEndian, unit) = (true, 1)
        case 0x4d3c_b2a1: (bigEndian, unit) = (false, 1)
        default: throw Fault.notPcap
        }
        linkType = try word(at: 20, bigEndian: bigEndian) & 0x0fff_ffff
        var packets: [Packet] = []
        var offset = 24
        while offset < bytes.count {
            let seconds = Int64(try word(at: offset, bigEndian: bigEndian))
            let fraction = Int64(try word(at: offset + 4, bigEndian: bigEndian)) * unit
            let length = Int(try word(at: offset + 8, bigEndian: bigEndian))
            offset += 16
            guard offset + length <= bytes.count else { throw Fault.cutOff }
            let frame = [UInt8](bytes[offset..<offset + length])
            packets.append(Packet(time: seconds * 1_000_000_000 + fraction, frame: frame))
            offset += length
        }
        self.packets = packets
    }

    /// The IP packet in a frame, or `nil` if there is none, or behind a link header not known here.
    func ipPacket(in frame: [UInt8]) -> [UInt8]? {
        switch linkType {
        case 0:  // BSD loopback: the address family, in the byte order of the host that captured
            let family = frame.prefix(4).reduce(0) { $0 | Int($1) }
            return [2, 24, 28, 30].contains(family) ? [UInt8](frame.dropFirst(4)) : nil
        case 1:  // Ethernet
            let type = frame.dropFirst(12).prefix(2)
            return type == [0x08, 0x00] || type == [0x86, 0xdd] ? [UInt8](frame.dropFirst(14)) : nil
        case 101:  // raw IP
            return frame
        default:
            return nil
        }
    }
}
