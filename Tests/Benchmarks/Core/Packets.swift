import ScanCore

/// Packets of one kind of traffic, in memory before the clock starts.
struct Packets: ~Copyable {
    static let count = 65536

    /// IPv4 and TCP headers without options.
    private static let length = 40

    /// A packet arrives every 10 microseconds, 100,000 a second.
    private static let interval: Int64 = 10_000

    let traffic: Traffic
    private var bytes: [UInt8]
    private var round: UInt16 = 0

    init(_ traffic: Traffic) {
        self.traffic = traffic
        var bytes = [UInt8](repeating: 0, count: Packets.count * Packets.length)
        var random = UInt32(2_463_534_242)
        for index in 0..<Packets.count {
            if index % traffic.portsPerSource == 0 {
                random ^= random << 13  // xorshift (Marsaglia 2003): the same packets every time
                random ^= random >> 17
                random ^= random << 5
            }
            let packet = traffic.packet(index, random: random)
            let start = index * Packets.length
            bytes[start] = 0x45
            bytes[start + 3] = UInt8(Packets.length)
            bytes[start + 8] = 64
            bytes[start + 9] = 6
            Packets.put(packet.source, in: &bytes, at: start + 12)
            Packets.put(0x0a4d_0002, in: &bytes, at: start + 16)
            Packets.put(40000 << 16 | UInt32(packet.port), in: &bytes, at: start + 20)
            bytes[start + 32] = 0x50
            bytes[start + 33] = packet.flags.rawValue
        }
        self.bytes = bytes
    }

    private static func put(_ value: UInt32, in bytes: inout [UInt8], at offset: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(value >> UInt32(24 - index * 8) & 0xff) }
    }

    /// Makes the sources of a flood others than before: they do not come again.
    mutating func renew() {
        if !traffic.isFlood { return }
        let change = round ^ (round &+ 1)
        round &+= 1
        for index in 0..<Packets.count {
            bytes[index * Packets.length + 12] ^= UInt8(change >> 8)
            bytes[index * Packets.length + 13] ^= UInt8(change & 0xff)
        }
    }

    /// Shows every packet to a detector once, parser first, as the daemon does.
    func observe(with detector: inout Parameters.Detector, clock: inout Int64) {
        let all = bytes.span
        for index in 0..<Packets.count {
            clock += Packets.interval
            let start = index * Packets.length
            let packet = all.extracting(start..<start + Packets.length)
            do throws(PacketFault) {
                let segment = try Probe(packet: packet)
                _ = detector.observe(segment, at: Timestamp(nanoseconds: clock), wallClock: 0)
            } catch {
                detector.count(error)
            }
        }
    }
}
