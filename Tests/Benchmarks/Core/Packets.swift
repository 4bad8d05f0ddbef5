import ScanCore

/// The fields of a packet in which kinds of traffic differ.
struct PacketFields {
    /// The source: an IPv4 address, or the lower half of an IPv6 one, each of a /64 of its own.
    var source: UInt32
    var port: UInt16
    var flags: TCPFlags
    /// Which of 256 neighbours is tried: 0 is the host.
    var neighbour: UInt8 = 0
}

/// What packets are made by.
protocol PacketPlan {
    /// Whether each source comes once, so that others are to be made for each round.
    var isFlood: Bool { get }
    var isIPv6: Bool { get }

    /// The fields of a packet, by its place.
    mutating func packet(_ index: Int) -> PacketFields
}

/// Packets of one kind of traffic, in memory before the clock starts.
struct Packets: ~Copyable {
    static let count = 65536

    /// The host that they are for.
    static let host = Address(ipv4: 0x0a4d_0002)
    static let hostIPv6 = Address(ipv6High: 0xfd00_0077 << 32, low: 0)

    /// A packet arrives every 10 microseconds, 100,000 a second.
    private static let interval: Int64 = 10_000

    /// The length of each: a header of IP and one of TCP, without options.
    private let length: Int
    private let isFlood: Bool
    private var bytes: [UInt8]
    private var round: UInt16 = 0

    init(_ plan: some PacketPlan) {
        var plan = plan
        isFlood = plan.isFlood
        length = plan.isIPv6 ? 60 : 40
        bytes = [UInt8](repeating: 0, count: Packets.count * length)
        for index in 0..<Packets.count {
            let fields = plan.packet(index)
            let start = index * length
            if plan.isIPv6 { putIPv6(fields, at: start) } else { putIPv4(fields, at: start) }
            let tcp = start + length - 20
            put(40000 << 16 | UInt32(fields.port), at: tcp)
            bytes[tcp + 12] = 0x50
            bytes[tcp + 13] = fields.flags.rawValue
        }
    }

    private mutating func putIPv4(_ fields: PacketFields, at start: Int) {
        bytes[start] = 0x45
        bytes[start + 3] = UInt8(length)
        bytes[start + 8] = 64
        bytes[start + 9] = 6
        put(fields.source, at: start + 12)
        put(0x0a4d_0002 + UInt32(fields.neighbour) << 8, at: start + 16)
    }

    private mutating func putIPv6(_ fields: PacketFields, at start: Int) {
        bytes[start] = 0x60
        bytes[start + 5] = 20
        bytes[start + 6] = 6
        bytes[start + 7] = 64
        put(0x2001_0db8, at: start + 8)
        put(fields.source, at: start + 12)
        put(fields.source, at: start + 20)
        put(0xfd00_0077, at: start + 24)
        put(UInt32(fields.neighbour), at: start + 36)
    }

    private mutating func put(_ value: UInt32, at offset: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(value >> UInt32(24 - index * 8) & 0xff) }
    }

    /// Makes the sources of a flood others than before: they do not come again.
    mutating func renew() {
        if !isFlood { return }
        let change = round ^ (round &+ 1)
        round &+= 1
        for index in 0..<Packets.count {
            bytes[index * length + 12] ^= UInt8(change >> 8)
            bytes[index * length + 13] ^= UInt8(change & 0xff)
        }
    }

    /// Shows every packet to a detector once, parser first, as the daemon does.
    func observe(
        with detector: inout Parameters.Detector, by reader: inout ProbeReader, clock: inout Int64
    ) {
        let all = bytes.span
        var vector = ProbeVector()
        for index in 0..<Packets.count {
            clock += Packets.interval
            let start = index * length
            let packet = all.extracting(start..<start + length)
            do throws(PacketFault) {
                let now = Timestamp(nanoseconds: clock)
                try reader.read(packet, over: LinkPath(interface: 1), at: now) { probe in
                    detector.append(probe, to: &vector, at: now, realTime: clock)
                    if vector.isFull { judge(&vector, with: &detector) }
                }
            } catch {
                detector.count(error)
            }
        }
        judge(&vector, with: &detector)
    }

    @inline(__always)
    private func judge(_ vector: inout ProbeVector, with detector: inout Parameters.Detector) {
        while detector.nextFinding(in: &vector) != nil {}
    }
}
