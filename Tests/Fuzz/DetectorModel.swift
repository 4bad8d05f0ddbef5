/// The decision of one source after another in dictionaries: no size, no hash of ours, no eviction.
///
/// It knows for how long a source can't be lost, however many collide: until 16 others were seen for the first time
/// since it was, and from its second port on until there are 8 others whose time is not over and that got as far.
struct DetectorModel {
    struct Source {
        var ports: [UInt16]
        var weight: Int
        var lastNewPort: Int64
        var ever: UInt8
        var always: UInt8
        var first: Probe
        var othersToo = ChangedFields()
        var isReported = false
        /// How many sources had been seen for the first time when it was.
        var seenAs = 0
        /// Whether it has touched a second port.
        var isFollowed = false
    }

    private(set) var sources: [SourceName: Source] = [:]

    /// Every port a source ever touched with a segment that can be part of a scan.
    private(set) var touched: [SourceName: Set<UInt16>] = [:]

    /// Those that a detector may have lost, from where on it may say something else of them.
    private(set) var uncertain: Set<SourceName> = []

    private var seen = 0
    private var latest = Int64.min
    private var hasGoneBack = false

    /// Whether this segment makes its source a scanner; `now` in nanoseconds.
    mutating func observe(_ segment: Probe, at now: Int64) -> Source? {
        let name = SourceName(segment.source)
        let flags = segment.flags?.rawValue ?? 0
        if segment.source.isUnspecified || flags == 0x10 || flags == 0x18 { return nil }
        if flags & 0x10 == 0 { touched[name, default: []].insert(segment.destinationPort) }
        if now < latest { hasGoneBack = true }
        latest = now
        noteWhatMayBeLost(name)
        defer { noteWhoMayMakeRoom(at: now) }

        guard var source = sources[name], Self.isRecent(source.lastNewPort, at: now) else {
            sources[name] = flags & 0x10 != 0 ? nil : Source(segment, at: now)
            if sources[name] != nil {
                seen += 1
                sources[name]?.seenAs = seen
            }
            return nil
        }
        defer { sources[name] = source }
        if source.ports.contains(segment.destinationPort) {
            source.see(segment.flags)
            return nil
        }
        if flags & 0x14 != 0 { return nil }
        source.lastNewPort = now
        source.isFollowed = true
        if source.isReported { return nil }
        source.note(segment)
        if source.weight >= Int(Parameters.weightThreshold) {
            source.isReported = true
            return source
        }
        source.ports.append(segment.destinationPort)
        return nil
    }

    private mutating func noteWhatMayBeLost(_ name: SourceName) {
        if let source = sources[name], !source.isFollowed, seen - source.seenAs >= 16 { uncertain.insert(name) }
        if uncertain.contains(name) { seen += 1 }  // it may be new in the detector at any time
    }

    /// When there are more that may be followed, and in time, than a bucket holds, each of them may have made room. On
    /// a clock that went back, those whose time was over may be in time again.
    private mutating func noteWhoMayMakeRoom(at now: Int64) {
        let live = sources.filter {
            $0.value.isFollowed && (hasGoneBack || Self.isRecent($0.value.lastNewPort, at: now))
        }.map(\.key)
        let all = uncertain.union(live)
        if all.count > Parameters.collisionCap { uncertain = all }
    }

    private static func isRecent(_ then: Int64, at now: Int64) -> Bool {
        if now < then { return false }
        return now.magnitudeOfDistance(from: then) <= UInt64(Parameters.longestGap)
    }

    static func weight(_ port: UInt16) -> Int {
        Int(port < Parameters.privilegedPortEnd ? Parameters.privilegedPortWeight : Parameters.otherPortWeight)
    }
}

extension DetectorModel.Source {
    init(_ segment: Probe, at now: Int64) {
        self.init(
            ports: [segment.destinationPort], weight: DetectorModel.weight(segment.destinationPort),
            lastNewPort: now, ever: 0, always: 0xff, first: segment)
        see(segment.flags)
    }

    /// Flags that were not seen say nothing.
    fileprivate mutating func see(_ flags: TCPFlags?) {
        guard let flags else { return }
        ever |= flags.rawValue
        always &= flags.rawValue
    }

    fileprivate mutating func note(_ segment: Probe) {
        see(segment.flags)
        weight += DetectorModel.weight(segment.destinationPort)
        othersToo.destination = othersToo.destination || segment.destination != first.destination
        othersToo.sourcePort = othersToo.sourcePort || segment.sourcePort != first.sourcePort
        othersToo.typeOfService = othersToo.typeOfService || segment.typeOfService != first.typeOfService
        othersToo.timeToLive = othersToo.timeToLive || segment.timeToLive != first.timeToLive
    }
}

/// An address as a dictionary's key.
struct SourceName: Hashable {
    private let high: UInt64
    private let low: UInt64
    private let isIPv4: Bool

    init(_ address: Address) {
        high = address.high
        low = address.low
        isIPv4 = address.isIPv4
    }
}

extension Int64 {
    /// How far back an earlier number lies; two of them can be further apart than one can say.
    fileprivate func magnitudeOfDistance(from earlier: Int64) -> UInt64 {
        UInt64(bitPattern: self) &- UInt64(bitPattern: earlier)  // wrapping gives the distance, for self >= earlier
    }
}
