/// What a source touched within a minute without being reported.
public struct Touch: Sendable {
    /// The source address in the packets. It can be forged.
    public internal(set) var source: Address
    /// The destination of the first packet.
    public internal(set) var destination: Address
    /// Whether there were other destinations.
    public internal(set) var hasOtherDestinations = false
    /// The first distinct destination ports, in the order seen.
    public internal(set) var ports = PortList()
    /// Whether there were more ports.
    public internal(set) var hasOtherPorts = false
    /// The packets.
    public internal(set) var packets: UInt32
    /// When the first packet came, in nanoseconds since 1970 UTC.
    public internal(set) var first: Int64
    /// The same for the last one.
    public internal(set) var last: Int64

    /// No touch, of all zero bytes.
    init() {
        source = Address(ipv6High: 0, low: 0)
        destination = source
        packets = 0
        first = 0
        last = 0
    }

    /// The touch of one packet.
    init(_ probe: Probe, at realTime: Int64) {
        source = probe.source
        destination = probe.destination
        ports.append(probe.destinationPort)
        packets = 1
        first = realTime
        last = realTime
    }

    /// Adds one more packet of the source.
    mutating func add(_ probe: Probe, at realTime: Int64) {
        packets = packets == .max ? .max : packets + 1
        last = realTime
        if destination != probe.destination { hasOtherDestinations = true }
        if ports.contains(probe.destinationPort) { return }
        if ports.count == PortList.capacity { hasOtherPorts = true } else { ports.append(probe.destinationPort) }
    }
}

/// A message about the touches of a minute.
public enum TouchMessage: Sendable {
    /// What one source touched.
    case source(Touch)
    /// How many sources more there were.
    case rest(UInt32)
}

/// The encoding of a message that is passed between processes of this host: as that of ``ScanReport``.
extension TouchMessage {
    /// The size of an encoded message in bytes.
    package static var encodedSize: Int { 96 }

    /// The offsets of the fields, in bytes.
    private enum Offset {
        static var marks: Int { 0 }
        static var portCount: Int { 1 }
        /// Two bytes that are 0.
        static var unused: Int { 2 }
        /// The packets, or how many sources more there were.
        static var number: Int { 4 }
        static var source: Int { 8 }
        static var destination: Int { 24 }
        static var first: Int { 40 }
        static var last: Int { 48 }
        static var ports: Int { 56 }
    }

    /// The bits of the first byte.
    private enum Mark {
        static var sourceIsIPv4: UInt8 { 1 }
        static var destinationIsIPv4: UInt8 { 2 }
        static var hasOtherDestinations: UInt8 { 4 }
        static var hasOtherPorts: UInt8 { 8 }
        static var isRest: UInt8 { 16 }
    }

    /// The encoded message.
    package var encoded: InlineArray<96, UInt8> {
        var bytes = InlineArray<96, UInt8>(repeating: 0)
        switch self {
        case .rest(let count):
            bytes[Offset.marks] = Mark.isRest
            bytes.put(count, at: Offset.number)
        case .source(let touch):
            var marks: UInt8 = 0
            if touch.source.isIPv4 { marks |= Mark.sourceIsIPv4 }
            if touch.destination.isIPv4 { marks |= Mark.destinationIsIPv4 }
            if touch.hasOtherDestinations { marks |= Mark.hasOtherDestinations }
            if touch.hasOtherPorts { marks |= Mark.hasOtherPorts }
            bytes[Offset.marks] = marks
            bytes[Offset.portCount] = UInt8(touch.ports.count)
            bytes.put(touch.packets, at: Offset.number)
            bytes.put(touch.source.high, at: Offset.source)
            bytes.put(touch.source.low, at: Offset.source + 8)
            bytes.put(touch.destination.high, at: Offset.destination)
            bytes.put(touch.destination.low, at: Offset.destination + 8)
            bytes.put(UInt64(bitPattern: touch.first), at: Offset.first)
            bytes.put(UInt64(bitPattern: touch.last), at: Offset.last)
            for index in 0..<touch.ports.count { bytes.put(touch.ports[index], at: Offset.ports + 2 * index) }
        }
        return bytes
    }

    /// Decodes the result of ``encoded``.
    ///
    /// - Throws: ``PacketFault/truncated`` if there are too few bytes, ``PacketFault/malformed`` if there are too many
    ///   or they encode no message.
    package init(encoded bytes: Span<UInt8>) throws(PacketFault) {
        if bytes.count < TouchMessage.encodedSize { throw .truncated }
        let marks = try bytes.uint8(at: Offset.marks)
        let number = try bytes.uint32(at: Offset.number)
        if bytes.count > TouchMessage.encodedSize || number == 0 { throw .malformed }
        if marks == Mark.isRest {
            for index in 1..<bytes.count where index / 4 != Offset.number / 4 && bytes[index] != 0 { throw .malformed }
            self = .rest(number)
            return
        }
        let unused = try bytes.uint16(at: Offset.unused)
        if marks > 15 || unused != 0 { throw .malformed }
        self = .source(try Touch(encoded: bytes, marks: marks, packets: number))
    }
}

extension Touch {
    fileprivate init(encoded bytes: Span<UInt8>, marks: UInt8, packets: UInt32) throws(PacketFault) {
        source = try Address(encodedIn: bytes, at: 8, isIPv4: marks & 1 != 0)
        destination = try Address(encodedIn: bytes, at: 24, isIPv4: marks & 2 != 0)
        hasOtherDestinations = marks & 4 != 0
        hasOtherPorts = marks & 8 != 0
        ports = try PortList(encodedIn: bytes, at: 56, count: Int(try bytes.uint8(at: 1)))
        self.packets = packets
        first = Int64(bitPattern: try bytes.uint64(at: 40))
        last = Int64(bitPattern: try bytes.uint64(at: 48))
        if source.isUnspecified || UInt32(ports.count) > packets { throw .malformed }
        if hasOtherPorts && ports.count < PortList.capacity { throw .malformed }
    }
}
