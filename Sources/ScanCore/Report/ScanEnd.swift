/// What a scan amounted to, when its source has touched nothing new for some time.
public struct ScanEnd: Sendable {
    /// The kind that was reported.
    public internal(set) var kind: ScanKind
    /// The source address in the packets. It can be forged.
    public internal(set) var source: Address
    /// Whether the source is a whole /64, of which several addresses took part.
    public internal(set) var sourceIsPrefix: Bool
    /// The destination in the report.
    public internal(set) var destination: Address
    /// When the first packet came, in nanoseconds since 1970 UTC: that of the report.
    public internal(set) var startTime: Int64
    /// When the last packet came, in nanoseconds since 1970 UTC: never before ``startTime``.
    public internal(set) var endTime: Int64
    /// The distinct ports, or numbers of protocols; none of ``ScanKind/ping``.
    public internal(set) var ports = Count()
    /// The distinct hosts, 1 or more.
    public internal(set) var hosts = Count()
    /// The packets: before the report one for each pair of a host and port, all after it.
    public internal(set) var packets = Count()
    /// Whether it may go on: others needed the space.
    public internal(set) var isGoingOn = false

    /// From the first packet to the last one, in seconds, 1 or more.
    public var seconds: UInt32 { endTime.roundedSeconds(since: startTime) }

    /// A number of things.
    public struct Count: Equatable, Sendable {
        /// The number, as far as it is known.
        public internal(set) var number: UInt32 = 0
        /// Whether there may be more.
        public internal(set) var isLeast = false

        /// Adds one, if the number can hold it.
        mutating func add(_ more: UInt32 = 1) {
            let (sum, overflow) = number.addingReportingOverflow(more)
            number = overflow ? .max : sum
            isLeast = isLeast || overflow
        }
    }

    /// The end of a scan that has been reported, with nothing counted yet.
    init(of report: ScanReport) {
        kind = report.kind
        source = report.source
        sourceIsPrefix = report.sourceIsPrefix
        destination = report.destination
        startTime = report.startTime
        endTime = report.endTime
    }
}

/// The line about the end of a scan:
///
///     saddr to daddr [and others, ]end, n ports, n hosts, n packets, n s @HH:MM:SS
///
/// `going on` stands in place of `end` if it may not be the end, and a number is followed by `or more` if it is not exact.
extension LogLine {
    /// The line about the end of a scan.
    ///
    /// - Parameter time: its ``ScanEnd/startTime`` on the local clock.
    public init(_ end: ScanEnd, time: TimeOfDay) {
        self.init()
        append(end.source)
        if end.sourceIsPrefix { append("/64") }
        append(" to ")
        append(end.destination)
        if end.hosts.number > 1 || end.hosts.isLeast { append(" and others,") }
        append(end.isGoingOn ? " going on, " : " end, ")
        if end.kind != .ping { append(end.ports, end.kind == .protocols ? "protocol" : "port") }
        append(end.hosts, "host")
        append(end.packets, "packet")
        append(decimal: end.seconds)
        append(" s @")
        append(time)
    }

    private mutating func append(_ count: ScanEnd.Count, _ name: String) {
        append(decimal: count.number)
        if count.isLeast { append(" or more") }
        append(" ")
        append(name)
        append(count.number == 1 && !count.isLeast ? ", " : "s, ")
    }
}

/// The encoding of an end that is passed between processes of this host: as that of ``ScanReport``.
extension ScanEnd {
    /// The size of an encoded end in bytes.
    package static var encodedSize: Int { 64 }

    /// The offsets of the fields, in bytes.
    private enum Offset {
        static var marks: Int { 0 }
        static var kind: Int { 1 }
        /// Two bytes that are 0.
        static var unused: Int { 2 }
        static var packets: Int { 4 }
        /// The two halves of each address; for IPv4, 0 and the address.
        static var source: Int { 8 }
        static var destination: Int { 24 }
        static var startTime: Int { 40 }
        static var endTime: Int { 48 }
        static var ports: Int { 56 }
        static var hosts: Int { 60 }
    }

    /// The bits of the first byte.
    private enum Mark {
        static var sourceIsIPv4: UInt8 { 1 }
        static var destinationIsIPv4: UInt8 { 2 }
        static var sourceIsPrefix: UInt8 { 4 }
        static var isGoingOn: UInt8 { 8 }
        static var portsAreLeast: UInt8 { 16 }
        static var hostsAreLeast: UInt8 { 32 }
        static var packetsAreLeast: UInt8 { 64 }
    }

    /// The encoded end.
    package var encoded: InlineArray<64, UInt8> {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var marks: UInt8 = 0
        if source.isIPv4 { marks |= Mark.sourceIsIPv4 }
        if destination.isIPv4 { marks |= Mark.destinationIsIPv4 }
        if sourceIsPrefix { marks |= Mark.sourceIsPrefix }
        if isGoingOn { marks |= Mark.isGoingOn }
        if ports.isLeast { marks |= Mark.portsAreLeast }
        if hosts.isLeast { marks |= Mark.hostsAreLeast }
        if packets.isLeast { marks |= Mark.packetsAreLeast }
        bytes[Offset.marks] = marks
        bytes[Offset.kind] = kind.rawValue
        bytes.put(source.high, at: Offset.source)
        bytes.put(source.low, at: Offset.source + 8)
        bytes.put(destination.high, at: Offset.destination)
        bytes.put(destination.low, at: Offset.destination + 8)
        bytes.put(UInt64(bitPattern: startTime), at: Offset.startTime)
        bytes.put(UInt64(bitPattern: endTime), at: Offset.endTime)
        bytes.put(ports.number, at: Offset.ports)
        bytes.put(hosts.number, at: Offset.hosts)
        bytes.put(packets.number, at: Offset.packets)
        return bytes
    }

    /// Decodes the result of ``encoded``.
    ///
    /// - Throws: ``PacketFault/truncated`` if there are too few bytes, ``PacketFault/malformed`` if there are too many
    ///   or they encode no end that a detector can make.
    package init(encoded bytes: Span<UInt8>) throws(PacketFault) {
        if bytes.count < ScanEnd.encodedSize { throw .truncated }
        let marks = try bytes.uint8(at: Offset.marks)
        guard let kind = ScanKind(rawValue: try bytes.uint8(at: Offset.kind)) else { throw .malformed }
        if bytes.count > ScanEnd.encodedSize || marks > 127 { throw .malformed }
        if try bytes.uint16(at: Offset.unused) != 0 { throw .malformed }
        self.kind = kind
        let isIPv4 = marks & Mark.sourceIsIPv4 != 0
        sourceIsPrefix = marks & Mark.sourceIsPrefix != 0
        source = try Address(encodedIn: bytes, at: Offset.source, isIPv4: isIPv4)
        if sourceIsPrefix ? isIPv4 || kind == .quick || source.low != 0 : source.isUnspecified { throw .malformed }
        let isToIPv4 = marks & Mark.destinationIsIPv4 != 0
        destination = try Address(encodedIn: bytes, at: Offset.destination, isIPv4: isToIPv4)
        startTime = Int64(bitPattern: try bytes.uint64(at: Offset.startTime))
        endTime = Int64(bitPattern: try bytes.uint64(at: Offset.endTime))
        isGoingOn = marks & Mark.isGoingOn != 0
        ports.number = try bytes.uint32(at: Offset.ports)
        ports.isLeast = marks & Mark.portsAreLeast != 0
        hosts.number = try bytes.uint32(at: Offset.hosts)
        hosts.isLeast = marks & Mark.hostsAreLeast != 0
        packets.number = try bytes.uint32(at: Offset.packets)
        packets.isLeast = marks & Mark.packetsAreLeast != 0
        if endTime < startTime || hosts.number == 0 || packets.number == 0 || ports.number > 65_536 { throw .malformed }
        if (ports.number == 0) != (kind == .ping) { throw .malformed }
    }
}
