/// The data of a scan by one source: all that its log line needs.
public struct ScanReport: Sendable {
    /// What kind of scan it is.
    public internal(set) var kind = ScanKind.quick
    /// Whether the source is a whole /64, of which several addresses took part.
    public internal(set) var sourceIsPrefix = false
    /// Of a sweep, how many hosts it tried, as far as they were counted; otherwise 0.
    public internal(set) var hosts: UInt16 = 0
    /// From the first packet to the last one: whole seconds here, the rest in ``fraction``. Two 32-bit numbers fit between
    /// the other fields, one of 64 bits would not.
    var wholeSeconds: UInt32 = 0
    /// The source address in the packets. It can be forged, so nothing should be done to it.
    public internal(set) var source: Address
    /// The destination address of the first packet.
    public internal(set) var destination: Address
    /// The source port of the first packet.
    public internal(set) var sourcePort: UInt16
    /// The destination ports in the order seen; of a quick scan, except the one that completed it. Of
    /// ``ScanKind/protocols`` they are the numbers of the protocols, and of ``ScanKind/ping`` it is 0.
    public internal(set) var ports: PortList
    /// The flags set in at least one packet, among packets whose flags were seen.
    public internal(set) var flagsEverSet: TCPFlags
    /// The flags set in every packet, among packets whose flags were seen: all if there were none.
    public internal(set) var flagsAlwaysSet: TCPFlags
    /// The type of service or traffic class of the first packet.
    public internal(set) var typeOfService: UInt8
    /// The time to live or hop limit of the first packet.
    public internal(set) var timeToLive: UInt8
    /// The fields that differed between packets, which the line omits.
    public internal(set) var changed: ChangedFields
    /// The rest of ``wholeSeconds``, in nanoseconds below 1,000,000,000.
    var fraction: UInt32 = 0
    /// When the first packet came, in nanoseconds since 1970 UTC.
    public internal(set) var startTime: Int64

    /// The report of a source's first packet.
    init(first probe: Probe, startTime: Int64) {
        source = probe.source
        destination = probe.destination
        sourcePort = probe.sourcePort
        ports = PortList()
        ports.append(probe.destinationPort)
        flagsEverSet = probe.flags ?? .none
        flagsAlwaysSet = probe.flags ?? .all
        typeOfService = probe.typeOfService
        timeToLive = probe.timeToLive
        changed = ChangedFields()
        self.startTime = startTime
    }

    /// A report of another kind, without ports.
    init(_ kind: ScanKind, source: Address, destination: Address) {
        self.kind = kind
        self.source = source
        self.destination = destination
        sourcePort = 0
        ports = PortList()
        flagsEverSet = .none
        flagsAlwaysSet = .all
        typeOfService = 0
        timeToLive = 0
        changed = ChangedFields()
        startTime = 0
    }

    /// When the packet came with which it was detected, in nanoseconds since 1970 UTC: never before ``startTime``, also
    /// if the clock was set back.
    public internal(set) var endTime: Int64 {
        get {
            let elapsed = Int64(wholeSeconds) * 1_000_000_000 + Int64(fraction)
            let (time, overflow) = startTime.addingReportingOverflow(elapsed)
            return overflow ? .max : time
        }
        set {
            let elapsed = newValue.nanoseconds(since: startTime)
            wholeSeconds = UInt32(clamping: elapsed / 1_000_000_000)
            fraction = UInt32(elapsed % 1_000_000_000)
        }
    }

    /// Of another kind than ``ScanKind/quick``: how long it took until it was detected, in seconds: 1 or more.
    public var seconds: UInt32 { kind == .quick ? 0 : endTime.roundedSeconds(since: startTime) }

    /// What a limiter calls it.
    public var subject: ReportSubject { kind == .quick ? .portScans : .otherScans }

    /// How many ports, or hosts, the source has touched.
    var portCount: UInt16 {
        switch kind {
        case .quick: UInt16(ports.count) + 1
        case .sweep, .ping: hosts
        case .slow, .spread, .udp, .ack, .protocols, .sctp: UInt16(ports.count)
        }
    }

    /// Merges the flags of one more packet, if they were seen.
    mutating func merge(_ flags: TCPFlags?) {
        flagsEverSet = flagsEverSet.union(flags ?? .none)
        flagsAlwaysSet = flagsAlwaysSet.intersection(flags ?? .all)
    }

    /// Merges the fields of one more packet to a new port.
    mutating func merge(_ probe: Probe) {
        merge(probe.flags)
        if destination != probe.destination { changed.destination = true }
        if sourcePort != probe.sourcePort { changed.sourcePort = true }
        if typeOfService != probe.typeOfService { changed.typeOfService = true }
        if timeToLive != probe.timeToLive { changed.timeToLive = true }
    }
}

extension Int64 {
    /// The nanoseconds from another time to this one; 0 if it is earlier.
    func nanoseconds(since earlier: Int64) -> UInt64 {
        self < earlier ? 0 : UInt64(bitPattern: self) &- UInt64(bitPattern: earlier)
    }

    /// The same in seconds, 1 or more.
    func roundedSeconds(since earlier: Int64) -> UInt32 {
        let elapsed = nanoseconds(since: earlier)
        let (seconds, rest) = elapsed.quotientAndRemainder(dividingBy: 1_000_000_000)
        return UInt32(clamping: Swift.max(seconds + (rest >= 500_000_000 ? 1 : 0), 1))
    }
}

/// The fields of a report that differed between packets.
public struct ChangedFields: Equatable, Sendable {
    /// A bit for each field, in the order below from the lowest.
    private(set) var bits: UInt8 = 0

    /// None.
    init() {}

    /// The fields whose bits are set, or `nil` if others are set too.
    init?(bits: UInt8) {
        if bits > 15 { return nil }
        self.bits = bits
    }

    /// The destination address.
    public internal(set) var destination: Bool {
        get { bits & 1 != 0 }
        set { set(1, newValue) }
    }
    /// The source port.
    public internal(set) var sourcePort: Bool {
        get { bits & 2 != 0 }
        set { set(2, newValue) }
    }
    /// The type of service or traffic class.
    public internal(set) var typeOfService: Bool {
        get { bits & 4 != 0 }
        set { set(4, newValue) }
    }
    /// The time to live or hop limit.
    public internal(set) var timeToLive: Bool {
        get { bits & 8 != 0 }
        set { set(8, newValue) }
    }

    private mutating func set(_ bit: UInt8, _ value: Bool) { bits = value ? bits | bit : bits & ~bit }
}

/// The first ports touched by a source, at most ``capacity``, in the order seen.
public struct PortList: Sendable {
    /// The maximum number of ports: all that can be seen before the last one completes a scan.
    public static let capacity = 20

    /// The number of ports.
    public var count: Int { Int(used) }

    private var storage = InlineArray<20, UInt16>(repeating: 0)
    private var used: UInt8 = 0

    /// The port at an index below ``count``.
    public subscript(index: Int) -> UInt16 {
        precondition(index < count)
        return storage[index]
    }

    /// Whether the list has a port.
    @inline(__always)
    func contains(_ port: UInt16) -> Bool {
        let ports = storage.span  // without it, the compiler (Swift 6.3) copies the list
        for index in 0..<count where ports[index] == port { return true }
        return false
    }

    /// Adds a port, if there is room.
    mutating func append(_ port: UInt16) {
        if count < PortList.capacity {
            storage[count] = port
            used += 1
        }
    }
}
