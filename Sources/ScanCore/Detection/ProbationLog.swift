/// The sources seen with one port: a flood of forged sources fills this instead of ``SourceTable``.
///
/// The first packet of a source becomes a record in a ring log, in which the newest record overwrites the oldest.
/// Records are found through an index whose lines are one cache line each. The keyed hash of an address selects its
/// line, and 12 more of its bits are its fingerprint. A line has 16 slots; a slot holds a fingerprint and the low 20
/// bits of a record's number, which give its position in the log and its age.
///
/// To find a source, its fingerprint is compared with the 16 slots, and its address with the records that match and are
/// still in the log: one line is read, and hardly ever a record in vain. To add a source, the next record is written,
/// and its number is inserted at the front of the line, whose oldest slot is dropped. There are no chains, and the work
/// is the same whatever arrives.
///
/// A record is kept until as many new sources arrive as the log has room for (65,536 in the daemon: 0.65 s at 100,000 a
/// second), unless 16 of those fall into its line and stay there. Eight are expected by then, so 0.8 % of the records
/// are lost before the log wraps around to them, 0.06 % in the first 50,000 (Poisson distribution). A source that
/// touches a second port meanwhile moves to the ``SourceTable``, where sources seen once can't evict it, and its slot
/// is free again.
///
/// Only as much of the log is used as the sources within ``rememberedTime`` need, so that little memory is touched on a
/// quiet host. An all-zero value is the empty state. Reading the records is mutating, for the reason at
/// ``SourceTable``.
struct ProbationLog<let lineCount: Int>: ~Copyable {
    /// The records of the log per line of the index.
    private typealias Page = InlineArray<8, ProbationRecord>

    private var index = InlineArray<lineCount, ProbationIndex>(repeating: ProbationIndex())
    private var log = InlineArray<lineCount, Page>(repeating: Page(repeating: ProbationRecord()))

    /// The number of the newest record, of which only the low 20 bits are significant. The first is 1, at the front of
    /// the log.
    fileprivate var newest: UInt32 = 0
    /// When the record at the front of the log was written.
    private var roundBegan = Timestamp(nanoseconds: 0)

    /// The number of records in use, including expired ones.
    private(set) var held = 0

    /// The number of records overwritten before their source had the time to touch a second port, since the start.
    private(set) var lost: UInt64 = 0

    /// When the record was written that was overwritten last: all records since then are in the log.
    private var overwritten = Timestamp(nanoseconds: 0)

    /// For how long a record is needed, in nanoseconds; ``Parameters/longestGap`` at least.
    var rememberedTime: Int64 = 0

    /// The maximum number of records: a power of two, at most 2^19.
    static var capacity: Int { lineCount * 8 }

    /// The minimum number of records written before the log starts over: 50 kB.
    private static var shortestRound: Int { 1024 }

    /// An empty log.
    init() {}

    /// The position of a record in the log, and its slot in the index.
    struct Place {
        var position: Int
        var line: Int
        var slot: Int
    }

    /// Reads what looking up a source begins with: see ``ProbeVector``.
    @inline(__always)
    mutating func load(_ hash: UInt32) -> UInt32 { index[Self.line(hash)][0] }

    /// Whether the record of a source that was found is of the same pair as a probe.
    @inline(__always)
    mutating func isOf(pairOf probe: Probe, _ place: Place) -> Bool {
        log[place.position >> 3][place.position & 7].isOf(pairOf: probe)
    }

    /// Looks up a source by its address and hash.
    @inline(__always)
    mutating func find(_ source: Address, hash: UInt32) -> Place? {
        let slots = slots(hash)
        return slots == 0 ? nil : search(source, hash: hash, in: slots)
    }

    /// The slots in which a source with this hash may be, none if it is not in the log: see ``ProbationIndex``.
    @inline(__always)
    private mutating func slots(_ hash: UInt32) -> UInt32 { index[Self.line(hash)].slots(with: Self.fingerprint(hash)) }

    @inline(never)  // keeps the path of a flood's packets short
    private mutating func search(_ source: Address, hash: UInt32, in slots: UInt32) -> Place? {
        search(slots, Self.line(hash)) { $0.isOf(source) }
    }

    /// Looks up the record of an event's source and class, by the hash of these.
    mutating func find(_ event: PairEvent, hash: UInt32) -> Place? {
        search(slots(hash), Self.line(hash)) { $0.isOf(event) }
    }

    /// The youngest record in some slots of a line that is still in the log and is the one wanted.
    @inline(__always)
    private mutating func search(
        _ slots: UInt32, _ line: Int, _ isWanted: (borrowing ProbationRecord) -> Bool
    ) -> Place? {
        var left = slots
        while left != 0 {
            let number = left.trailingZeroBitCount
            left &= left &- 1
            let slot = index[line][number]
            if ProbationIndex.age(of: slot, newest: newest) >= Self.capacity { continue }
            let position = Self.position(slot >> 12)
            if isWanted(log[position >> 3][position & 7]) {
                return Place(position: position, line: line, slot: number)
            }
        }
        return nil
    }

    /// Processes one more packet of a source that was found.
    mutating func record(_ probe: Probe, at now: Timestamp, _ place: Place) -> SourceEntry.Effect {
        log[place.position >> 3][place.position & 7].record(probe, at: now)
    }

    /// Removes a source that was found, and returns its record.
    mutating func remove(_ place: Place) -> ProbationRecord {
        let touch = log[place.position >> 3][place.position & 7]
        log[place.position >> 3][place.position & 7] = ProbationRecord()
        let tooOld = newest &- UInt32(Self.capacity)
        index[place.line].remove(place.slot, last: ProbationIndex.slot(number: tooOld, fingerprint: 0))
        held -= 1
        return touch
    }

    /// The record of a source that was found.
    mutating func record(at place: Place) -> ProbationRecord { log[place.position >> 3][place.position & 7] }

    /// Inserts the first pair of another class that a source tried, with the hash of both.
    mutating func insert(_ event: PairEvent, hash: UInt32, at now: Timestamp, realTime: Int64) {
        write(ProbationRecord(event, at: now, realTime: realTime), hash: hash, at: now)
    }

    /// Records that the only pair tried by a source accepted, if an event is about that; `hash` is that of its record.
    mutating func markAccepted(_ event: PairEvent, hash: UInt32) {
        let place = event.target == .tcp ? find(event.source, hash: hash) : find(event, hash: hash)
        guard let place else { return }
        log[place.position >> 3][place.position & 7].markAccepted(event)
    }

    /// Inserts a new source with its hash.
    @inline(__always)
    mutating func insert(_ probe: Probe, hash: UInt32, at now: Timestamp, realTime: Int64) {
        write(ProbationRecord(probe, at: now, realTime: realTime), hash: hash, at: now)
    }

    @inline(__always)
    private mutating func write(_ record: @autoclosure () -> ProbationRecord, hash: UInt32, at now: Timestamp) {
        newest = next(at: now)
        index[Self.line(hash)].insert(ProbationIndex.slot(number: newest, fingerprint: Self.fingerprint(hash)))
        let position = Self.position(newest)
        if position == 0 { roundBegan = now }
        if log[position >> 3][position & 7].isUsed {
            held -= 1
            overwritten = log[position >> 3][position & 7].time
            if now.isWithin(Parameters.longestGap, after: overwritten) { lost &+= 1 }
        }
        log[position >> 3][position & 7] = record()
        held += 1
    }

    /// How far back the records reach, in nanoseconds, at most ``rememberedTime``.
    func reach(at now: Timestamp) -> Int64 {
        let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(overwritten.nanoseconds)
        return overflow ? rememberedTime : max(0, min(elapsed, rememberedTime))
    }

    /// The number of the next record: the following one, or the first of a new round if the first record of this round,
    /// and all that was written before, has expired.
    private mutating func next(at now: Timestamp) -> UInt32 {
        let next = newest &+ 1  // only the low bits are significant
        if Self.position(next) < Self.shortestRound { return next }
        let needed = max(rememberedTime, Parameters.longestGap)
        if now < roundBegan || now.isWithin(needed, after: roundBegan) { return next }
        return ((newest &- 1) | UInt32(Self.capacity - 1)) &+ 2
    }

    @inline(__always)
    private static func position(_ number: UInt32) -> Int { Int(number &- 1) & (capacity - 1) }

    /// Where the line of a hash begins, as an offset in the log in bytes.
    @inline(__always)
    static func offset(ofLine hash: UInt32) -> Int { line(hash) * MemoryLayout<ProbationIndex>.stride }

    @inline(__always)
    private static func line(_ hash: UInt32) -> Int { Int(hash) & (lineCount - 1) }

    @inline(__always)
    private static func fingerprint(_ hash: UInt32) -> UInt32 { hash >> 20 }
}

/// The first segments of IPv6 hosts in ``ProbationLog``, found by their /64: lines of an index of their own, so that what
/// is kept here takes no place from the quick rule.
struct PrefixIndex<let setCount: Int>: ~Copyable {
    typealias Lines = InlineArray<4, ProbationIndex>

    // Not private: tests break it.
    var sets = InlineArray<setCount, Lines>(repeating: Lines(repeating: ProbationIndex()))

    init() {}

    /// Adds the newest record of a log.
    mutating func insert<let lineCount: Int>(newestOf log: borrowing ProbationLog<lineCount>, hash: UInt32) {
        let line = Int(hash) & (setCount * 4 - 1)
        sets[line >> 2][line & 3].insert(ProbationIndex.slot(number: log.newest, fingerprint: hash >> 20))
    }

    /// The youngest record of a host in the /64 of a probe that tried another pair than that.
    mutating func find<let lineCount: Int>(
        _ probe: Probe, hash: UInt32, in log: inout ProbationLog<lineCount>
    ) -> ProbationRecord? {
        let line = Int(hash) & (setCount * 4 - 1)
        var left = sets[line >> 2][line & 3].slots(with: hash >> 20)
        if left == 0 { return nil }
        let event = PairEvent(of: probe)
        while left != 0 {
            let slot = sets[line >> 2][line & 3][left.trailingZeroBitCount]
            left &= left &- 1
            let record = log.record(in: slot) { $0.isOf(event) && !$0.isOfPair(event) && $0.isOfProbe }
            if let record { return record }
        }
        return nil
    }
}

extension ProbationLog {
    /// The record that a slot points to, if it is still in the log and is one that is wanted.
    @inline(__always)
    mutating func record(
        in slot: UInt32, if isWanted: (borrowing ProbationRecord) -> Bool = { _ in true }
    ) -> ProbationRecord? {
        if age(of: slot) == nil { return nil }
        let position = Self.position(slot >> 12)
        return isWanted(log[position >> 3][position & 7]) ? log[position >> 3][position & 7] : nil
    }

    /// The number of records begun after the one that a slot points to, if that is still in the log.
    func age(of slot: UInt32) -> Int? {
        let age = ProbationIndex.age(of: slot, newest: newest)
        return age < Self.capacity ? age : nil
    }

    /// Whether the log was never used: for tests.
    var isFresh: Bool {
        mutating get {
            for line in 0..<lineCount {
                for number in 0..<16 where index[line][number] != 0 { return false }
                for number in 0..<8 where log[line][number].isUsed { return false }
            }
            let never = Timestamp(nanoseconds: 0)
            return newest == 0 && overwritten == never && roundBegan == never && held == 0 && lost == 0
        }
    }

    /// The first violated invariant, or `nil`: for tests, which check it after every step.
    ///
    /// All records in use are counted. Each is in one slot of its own line, or was dropped for younger ones.
    mutating func fault(key: HashKey) -> String? {
        var used = 0
        for position in 0..<Self.capacity where log[position >> 3][position & 7].isUsed {
            used += 1
            let behind = Self.position(newest) - position
            if behind < 0 { continue }  // from an earlier round, and perhaps too old to be found
            let hash = log[position >> 3][position & 7].hash(key)
            let slot = ProbationIndex.slot(number: newest &- UInt32(behind), fingerprint: Self.fingerprint(hash))
            var found = 0
            var older = 0
            for number in 0..<16 {
                let other = index[Self.line(hash)][number]
                if other == slot { found += 1 }
                if other != 0 && (behind + 1..<Self.capacity).contains(ProbationIndex.age(of: other, newest: newest)) {
                    older += 1
                }
            }
            if found > 1 || found == 0 && older > 0 { return "a first touch is in no slot, or in two" }
        }
        return used == held ? nil : "held differs from the first touches in use"
    }
}
