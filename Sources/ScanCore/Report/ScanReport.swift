/// What is known of one source: all that the line about it says.
public struct ScanReport: Sendable {
    /// Where the packets say they come from. It can be forged: nothing should be done to it.
    public internal(set) var source: Address
    /// Where the first packet was sent to.
    public internal(set) var destination: Address
    /// The source port of the first packet.
    public internal(set) var sourcePort: UInt16
    /// The destination ports in the order seen, but for the one that made it a scan.
    public internal(set) var ports: PortList
    /// The flags that at least one packet had, of those whose flags were seen.
    public internal(set) var flagsEverSet: TCPFlags
    /// The flags that every packet had, of those whose flags were seen: all if none were.
    public internal(set) var flagsAlwaysSet: TCPFlags
    /// The type of service or traffic class of the first packet.
    public internal(set) var typeOfService: UInt8
    /// The time to live or hop limit of the first packet.
    public internal(set) var timeToLive: UInt8
    /// What was not the same in every packet, so that the line leaves it out.
    public internal(set) var changed: ChangedFields
    /// The time of day of the first packet, in seconds since 1970 UTC.
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

    /// Takes note of the flags of one more packet, if they were seen.
    mutating func merge(_ flags: TCPFlags?) {
        flagsEverSet = flagsEverSet.union(flags ?? .none)
        flagsAlwaysSet = flagsAlwaysSet.intersection(flags ?? .all)
    }

    /// Takes note of what one more packet to a new port has in common with the first.
    mutating func merge(_ probe: Probe) {
        merge(probe.flags)
        if destination != probe.destination { changed.destination = true }
        if sourcePort != probe.sourcePort { changed.sourcePort = true }
        if typeOfService != probe.typeOfService { changed.typeOfService = true }
        if timeToLive != probe.timeToLive { changed.timeToLive = true }
    }
}

/// The fields of a report that were not the same in every packet.
public struct ChangedFields: Equatable, Sendable {
    /// The destination address.
    public internal(set) var destination = false
    /// The source port.
    public internal(set) var sourcePort = false
    /// The type of service or traffic class.
    public internal(set) var typeOfService = false
    /// The time to live or hop limit.
    public internal(set) var timeToLive = false
}

/// The first ports a source touched, at most ``capacity``, in the order seen.
public struct PortList: Sendable {
    /// The most ports kept: all that can be seen before the last one makes it a scan.
    public static let capacity = 20

    /// How many there are.
    public var count: Int { Int(used) }

    private var storage = InlineArray<20, UInt16>(repeating: 0)
    private var used: UInt8 = 0

    /// The port at an index below ``count``.
    public subscript(index: Int) -> UInt16 {
        precondition(index < count)
        return storage[index]
    }

    /// Whether a port is among them.
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
