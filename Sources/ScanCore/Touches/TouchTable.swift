/// What sources touch in a minute, for those who look at many hosts: a scan that stays below the threshold of each shows
/// only where their touches are put together.
///
/// Memory is fixed, and so is the work for a packet: the keyed hash of a source selects a set of eight places. A source
/// that finds no place takes that of the one with the fewest packets, which is counted among the rest. So a flood of
/// forged sources evicts those with one packet each, not those that go on.
///
/// One half of the places is filled while the other is read, which may take as long as the reader needs: the minute that
/// is read ends when the next one does.
///
/// - `capacity`: the number of places, a power of two, of which half are for the minute that goes on: 16 or more.
///
/// An all-zero value is the empty state, if the key is zero too.
public struct TouchTable<let capacity: Int>: ~Copyable {
    private var places = InlineArray<capacity, TouchPlace>(repeating: TouchPlace())
    private var key: HashKey
    /// Which half is filled: 0 or 1.
    private var filled: UInt8 = 0
    /// When its minute ends; 0: it has not begun.
    private var end: Int64 = 0
    /// How many sources of each half have lost their place.
    private var evicted = InlineArray<2, UInt32>(repeating: 0)

    /// What is read: the next place of the other half; none if that is all of them.
    private var next = 0
    private var isReading = false
    /// Sources with more packets than this are returned, and as many with just as many as there is room for.
    private var threshold: UInt32 = 0
    private var ties = 0
    private var rest: UInt32 = 0

    /// The length of a minute in nanoseconds.
    static var minute: Int64 { 60_000_000_000 }
    /// How many sources are returned for a minute: the most active.
    public static var most: Int { 1000 }
    private static var setSize: Int { 8 }
    private static var half: Int { capacity / 2 }

    /// Creates an empty table. The key must be secret, or an attacker can evict a chosen source.
    public init(key: HashKey) {
        self.key = key
    }

    /// Sets the key of an all-zero value.
    public mutating func start(key: HashKey) {
        self.key = key
    }

    /// When there is something to read; `nil`: nothing has been touched.
    public var due: Timestamp? {
        if isReading { return Timestamp(nanoseconds: .min) }
        return end == 0 ? nil : Timestamp(nanoseconds: end)
    }

    /// Notes a packet, if it is one that a scan may consist of: a TCP segment without ACK and RST.
    public mutating func note(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        if probe.mayBeAnswer || probe.source.isUnspecified { return }
        if end == 0 { end = Self.after(now) }
        let set = firstPlace(for: probe.source)
        var least = set
        for index in set..<set + Self.setSize {
            if places[index].packets == 0 {
                places[index] = TouchPlace(probe, at: realTime)
                return
            }
            if places[index].isOf(probe.source) { return places[index].add(probe, at: realTime) }
            if places[index].packets < places[least].packets { least = index }
        }
        places[least] = TouchPlace(probe, at: realTime)
        let half = Int(filled)
        evicted[half] = evicted[half] == .max ? .max : evicted[half] + 1
    }

    /// Leaves out a source for the rest of the minute: it has been reported.
    public mutating func leaveOut(_ source: Address) {
        let set = firstPlace(for: source)
        for index in set..<set + Self.setSize where places[index].isOf(source) { places[index].isReported = true }
    }

    /// The next message about the minute that is over; `nil` if there is none, or no more.
    ///
    /// - Parameter atExit: whether the minute that goes on is to end now.
    public mutating func next(at now: Timestamp, atExit: Bool = false) -> TouchMessage? {
        if end != 0 && (now.nanoseconds >= end || atExit && !isReading) { turn() }
        if !isReading { return nil }
        let first = Self.half * Int(1 - filled)
        while next < Self.half {
            let index = first + next
            next += 1
            let touch = places[index].touch
            let isListed = isListed(index)
            places[index] = TouchPlace()
            if isListed { return .source(touch) }
        }
        isReading = false
        let left = rest
        rest = 0
        if left > 0 { return .rest(left) }
        return atExit && end != 0 ? self.next(at: now, atExit: true) : nil
    }

    /// Whether the source at a place is among the most active; if not, it is one of the rest.
    private mutating func isListed(_ index: Int) -> Bool {
        if places[index].packets == 0 || places[index].isReported { return false }
        if places[index].packets > threshold { return true }
        if places[index].packets == threshold && ties > 0 {
            ties -= 1
            return true
        }
        rest = rest == .max ? .max : rest + 1
        return false
    }

    /// Ends the minute: what was filled is read, and the other half is filled. What was not read of that is lost, as
    /// part of the rest.
    private mutating func turn() {
        let other = 1 - filled
        var unread: UInt32 = 0
        for index in Self.half * Int(other)..<Self.half * Int(other + 1) where places[index].packets > 0 {
            if !places[index].isReported { unread += 1 }
            places[index] = TouchPlace()
        }
        let lost = evicted[Int(filled)]
        evicted[Int(filled)] = 0
        let (sum, overflow) = (isReading ? rest : 0).addingReportingOverflow(unread)
        let (all, overflowToo) = sum.addingReportingOverflow(lost)
        rest = overflow || overflowToo ? .max : all
        selectMost(Self.half * Int(filled))
        filled = other
        end = 0
        next = 0
        isReading = true
    }

    /// Finds the smallest threshold above which there are no more sources than are returned, and how many of those at
    /// it have room.
    private mutating func selectMost(_ first: Int) {
        var (low, high) = (UInt32(0), UInt32.max)
        while low < high {
            let middle = low + (high - low) / 2
            if count(above: middle, first) > Self.most { low = middle + 1 } else { high = middle }
        }
        threshold = low
        ties = Self.most - count(above: low, first)
    }

    private mutating func count(above threshold: UInt32, _ first: Int) -> Int {
        var count = 0
        for index in first..<first + Self.half where places[index].packets > threshold && !places[index].isReported {
            count += 1
        }
        return count
    }

    private mutating func firstPlace(for source: Address) -> Int {
        let sets = Self.half / Self.setSize
        return Self.half * Int(filled) + Self.setSize * (Int(key.hash(source)) & (sets - 1))
    }

    private static func after(_ now: Timestamp) -> Int64 {
        let (end, overflow) = now.nanoseconds.addingReportingOverflow(minute)
        return overflow ? .max : end == 0 ? 1 : end
    }
}

/// A place of a source; without packets it is unused.
private struct TouchPlace: Sendable {
    private(set) var touch = Touch()
    /// Whether the source has been reported.
    var isReported = false

    var packets: UInt32 { touch.packets }

    init() {}

    init(_ probe: Probe, at realTime: Int64) { touch = Touch(probe, at: realTime) }

    func isOf(_ source: Address) -> Bool { touch.packets > 0 && touch.source == source }

    mutating func add(_ probe: Probe, at realTime: Int64) { touch.add(probe, at: realTime) }
}
