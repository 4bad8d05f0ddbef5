/// The encoding of a report that is passed between processes of this host.
///
/// The reader trusts it no more than a packet, since the process that wrote it may be compromised: each field is
/// checked, and a report has exactly one encoding. Numbers are in network byte order.
extension ScanReport {
    /// The size of an encoded report in bytes.
    package static var encodedSize: Int { 100 }

    /// The offsets of the fields, in bytes.
    private enum Offset {
        /// A bit for each address, the source's the lower: whether it is an IPv4 address.
        static var families: Int { 0 }
        /// A bit for each field of ``ChangedFields``, in order from the lowest bit.
        static var changed: Int { 1 }
        static var flagsEverSet: Int { 2 }
        static var flagsAlwaysSet: Int { 3 }
        static var typeOfService: Int { 4 }
        static var timeToLive: Int { 5 }
        static var portCount: Int { 6 }
        /// The kind of scan, and in the top bit whether the source is a whole /64.
        static var kind: Int { 7 }
        /// The two halves of each address; for IPv4, 0 and the address.
        static var source: Int { 8 }
        static var destination: Int { 24 }
        static var startTime: Int { 40 }
        static var sourcePort: Int { 48 }
        /// Space for ``PortList/capacity`` ports: unused ones are 0.
        static var ports: Int { 50 }
        static var wholeSeconds: Int { 90 }
        static var hosts: Int { 94 }
        static var fraction: Int { 96 }
    }

    /// The encoded report.
    package var encoded: InlineArray<100, UInt8> {
        var bytes = InlineArray<100, UInt8>(repeating: 0)
        bytes[Offset.families] = (source.isIPv4 ? 1 : 0) | (destination.isIPv4 ? 2 : 0)
        bytes[Offset.changed] = changed.bits
        bytes[Offset.flagsEverSet] = flagsEverSet.rawValue
        bytes[Offset.flagsAlwaysSet] = flagsAlwaysSet.rawValue
        bytes[Offset.typeOfService] = typeOfService
        bytes[Offset.timeToLive] = timeToLive
        bytes[Offset.portCount] = UInt8(ports.count)
        bytes[Offset.kind] = kind.rawValue | (sourceIsPrefix ? 0x80 : 0)
        bytes.put(source.high, at: Offset.source)
        bytes.put(source.low, at: Offset.source + 8)
        bytes.put(destination.high, at: Offset.destination)
        bytes.put(destination.low, at: Offset.destination + 8)
        bytes.put(UInt64(bitPattern: startTime), at: Offset.startTime)
        bytes.put(sourcePort, at: Offset.sourcePort)
        bytes.put(wholeSeconds, at: Offset.wholeSeconds)
        bytes.put(fraction, at: Offset.fraction)
        bytes.put(hosts, at: Offset.hosts)
        for index in 0..<ports.count { bytes.put(ports[index], at: Offset.ports + 2 * index) }
        return bytes
    }

    /// Decodes the result of ``encoded``.
    ///
    /// - Throws: ``PacketFault/truncated`` if there are too few bytes, ``PacketFault/malformed`` if there are too many
    ///   or they encode no report that a detector can make.
    package init(encoded bytes: Span<UInt8>) throws(PacketFault) {
        if bytes.count < ScanReport.encodedSize { throw .truncated }
        let families = try bytes.uint8(at: Offset.families)
        if bytes.count > ScanReport.encodedSize || families > 3 { throw .malformed }
        let kindAndPrefix = try bytes.uint8(at: Offset.kind)
        guard let kind = ScanKind(rawValue: kindAndPrefix & 0x7f) else { throw .malformed }
        self.kind = kind
        sourceIsPrefix = kindAndPrefix & 0x80 != 0
        if sourceIsPrefix && (kind == .quick || families & 1 != 0) { throw .malformed }
        hosts = try bytes.uint16(at: Offset.hosts)
        if (hosts > 0) != kind.isOfHosts { throw .malformed }
        source = try Address(encodedIn: bytes, at: Offset.source, isIPv4: families & 1 != 0)
        destination = try Address(encodedIn: bytes, at: Offset.destination, isIPv4: families & 2 != 0)
        if sourceIsPrefix ? source.low != 0 : source.isUnspecified { throw .malformed }
        guard let changed = ChangedFields(bits: try bytes.uint8(at: Offset.changed)) else { throw .malformed }
        self.changed = changed
        flagsEverSet = TCPFlags(rawValue: try bytes.uint8(at: Offset.flagsEverSet))
        flagsAlwaysSet = TCPFlags(rawValue: try bytes.uint8(at: Offset.flagsAlwaysSet))
        let noneSeen = flagsEverSet == .none && flagsAlwaysSet == .all
        if !noneSeen && !flagsEverSet.contains(flagsAlwaysSet) { throw .malformed }
        typeOfService = try bytes.uint8(at: Offset.typeOfService)
        timeToLive = try bytes.uint8(at: Offset.timeToLive)
        startTime = Int64(bitPattern: try bytes.uint64(at: Offset.startTime))
        wholeSeconds = try bytes.uint32(at: Offset.wholeSeconds)
        fraction = try bytes.uint32(at: Offset.fraction)
        if fraction >= 1_000_000_000 { throw .malformed }
        sourcePort = try bytes.uint16(at: Offset.sourcePort)
        ports = try PortList(encodedIn: bytes, at: Offset.ports, count: Int(try bytes.uint8(at: Offset.portCount)))
        if kind.isOfHosts && ports.count != 1 { throw .malformed }
    }
}

extension InlineArray where Element == UInt8 {
    /// Writes a number at an offset, in network byte order.
    mutating func put(_ number: some FixedWidthInteger & UnsignedInteger, at offset: Int) {
        let last = offset + number.bitWidth / 8 - 1
        for index in offset...last { self[index] = UInt8(truncatingIfNeeded: number >> (8 * (last - index))) }
    }
}

extension Address {
    init(encodedIn bytes: Span<UInt8>, at offset: Int, isIPv4: Bool) throws(PacketFault) {
        let (high, low) = (try bytes.uint64(at: offset), try bytes.uint64(at: offset + 8))
        if !isIPv4 {
            self.init(ipv6High: high, low: low)
        } else {
            guard high == 0, let value = UInt32(exactly: low) else { throw .malformed }
            self.init(ipv4: value)
        }
    }
}

extension PortList {
    /// There is at least one port, and no port is listed twice.
    init(encodedIn bytes: Span<UInt8>, at offset: Int, count: Int) throws(PacketFault) {
        if count == 0 || count > PortList.capacity { throw .malformed }
        self.init()
        for index in 0..<PortList.capacity {
            let port = try bytes.uint16(at: offset + 2 * index)
            if index < count ? contains(port) : port != 0 { throw .malformed }
            if index < count { append(port) }
        }
    }
}
