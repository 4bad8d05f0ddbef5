/// Probes that are judged together, in the order in which they arrived.
///
/// In a flood the time goes into waiting for memory: each source leads to another place of large tables. So the places
/// of all probes of a vector are read in one loop before the first is judged. These reads do not depend on each other,
/// and the processor waits for many of them at once.
///
/// What the detector finds does not depend on where one vector ends and the next begins.
///
/// Reading is mutating, for the reason at ``SourceTable``.
public struct ProbeVector: ~Copyable {
    /// The maximum number of probes: more than the reads that a processor has under way, few enough to stay in its
    /// nearest cache.
    public static let capacity = 32

    private var arrivals = InlineArray<32, Arrival>(repeating: Arrival())

    /// The number of probes.
    public private(set) var count = 0

    /// The number of those that have been judged: the first ones.
    private(set) var judged = 0

    /// An empty vector.
    public init() {}

    /// Whether there is no room for another probe.
    @inline(__always)
    public var isFull: Bool { count == ProbeVector.capacity }

    /// Whether there is no probe.
    @inline(__always)
    public var isEmpty: Bool { count == 0 }

    /// When the first probe arrived, on the clock of the detector.
    public private(set) var firstTime = Timestamp(nanoseconds: 0)

    /// When the probe that was judged last arrived, on the clock of the detector.
    public var time: Timestamp { mutating get { arrivals[judged - 1].time } }

    /// The same in nanoseconds since 1970 UTC.
    public var realTime: Int64 { mutating get { arrivals[judged - 1].realTime } }

    /// The destination port of the probe that was judged last.
    var port: UInt16 { mutating get { arrivals[judged - 1].probe.destinationPort } }

    /// Appends a probe to a vector that is not full.
    @inline(__always)
    mutating func append(_ probe: Probe, hash: UInt32, at time: Timestamp, realTime: Int64) {
        if count == 0 { firstTime = time }
        arrivals[count].probe.assign(probe)
        arrivals[count].hash = hash
        arrivals[count].time = time
        arrivals[count].realTime = realTime
        count += 1
    }

    /// The hash of a probe's source.
    @inline(__always)
    mutating func hash(_ index: Int) -> UInt32 { arrivals[index].hash }

    /// The hash of the last probe's source; of the first one if there is none.
    @inline(__always)
    var lastHash: UInt32 { mutating get { arrivals[max(count - 1, 0)].hash } }

    /// The probe that is judged, of those that ``advance()`` goes through.
    @inline(__always)
    var current: Arrival { mutating get { arrivals[judged - 1] } }

    /// Goes on to the next probe; returns `false` if all have been judged, after which the vector is empty.
    @inline(__always)
    mutating func advance() -> Bool {
        if judged == count {
            judged = 0
            count = 0
            return false
        }
        judged += 1
        return true
    }

    /// Whether no probe has been judged yet.
    @inline(__always)
    var isUntouched: Bool { judged == 0 }
}

/// A probe with its time of arrival.
struct Arrival: Sendable {
    var probe: Probe
    /// The keyed hash of its source.
    var hash: UInt32
    /// When it arrived, on the clock of the detector.
    var time: Timestamp
    /// The same in nanoseconds since 1970 UTC.
    var realTime: Int64
}

extension Arrival {
    /// All zero.
    fileprivate init() {
        self.init(probe: .none, hash: 0, time: Timestamp(nanoseconds: 0), realTime: 0)
    }
}
