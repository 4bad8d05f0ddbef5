/// What is known of the name of an address.
public enum HostNameAnswer: Equatable, Sendable {
    /// This is it.
    case name(HostName)
    /// It has none that can be told: the address stands for itself.
    case noName
    /// It is being looked up.
    case pending

    /// How long that may take, in nanoseconds, where nothing else is said: then there is no name.
    public static var patience: Int64 { 2_000_000_000 }
}

/// The names of addresses, as far as they were looked up, and which lookups are under way: fixed memory, and bounded
/// work for a packet, whatever arrives.
///
/// The keyed hash of an address chooses one of the sets, so that nobody can aim at one; it has room for eight addresses.
/// Whatever is new takes the place of what is outdated, or of the oldest; never of a lookup that is under way. So what
/// was just answered is there when it is asked for again.
///
/// All bytes zero are an empty cache, whose key ``start(key:)`` gives it. All that reads is mutating: otherwise the
/// compiler makes a copy of the whole.
///
/// - `setCount`: how many sets: a power of two, at most 8,192.
/// - `mostUnderWay`: how many lookups may be under way, 1 to 256.
public struct HostNameCache<let setCount: Int, let mostUnderWay: Int>: ~Copyable {
    /// How long a name is remembered, in nanoseconds.
    public static var namesLast: Int64 { 300_000_000_000 }
    /// How long it is remembered that there is none, in nanoseconds.
    public static var absencesLast: Int64 { 60_000_000_000 }

    private typealias Set = InlineArray<8, HostNameEntry>

    private var key = HashKey([0, 0, 0, 0, 0])
    /// How much longer than usual a lookup may take, in nanoseconds.
    private var morePatience: Int64 = 0
    private var sets = InlineArray<setCount, Set>(repeating: Set(repeating: HostNameEntry()))

    /// The places of the lookups under way, in no order.
    private var places = InlineArray<mostUnderWay, UInt16>(repeating: 0)
    /// How many lookups are under way, those among them that take too long included.
    public private(set) var underWay = 0
    /// When it was last looked which of them take too long: seldom, for a flood must not make that its business.
    private var lastExpiry = Timestamp(nanoseconds: 0)
    private static var expiryInterval: Int64 { 100_000_000 }

    /// A cache that knows nothing.
    init() {}

    /// Gives its key to a cache that knows nothing yet.
    ///
    /// - Parameters:
    ///   - key: must be secret.
    ///   - patience: how long a lookup may take, in nanoseconds.
    public mutating func start(key: HashKey, patience: Int64 = HostNameAnswer.patience) {
        self.key = key
        morePatience = patience - HostNameAnswer.patience
    }

    /// What is known of an address; `nil`: nothing.
    public mutating func find(_ address: Address, at now: Timestamp) -> HostNameAnswer? {
        guard let place = place(of: address) else { return nil }
        if self[place].isUnderWay && isOver(place, at: now) { settle(place, with: nil, at: now) }
        if isOver(place, at: now) { return nil }
        switch self[place].state {
        case .empty: return nil
        case .pending: return .pending
        case .absent: return .noName
        case .named: return .name(self[place].name)
        }
    }

    /// Takes note that the lookup of an address of which nothing is known begins.
    ///
    /// - Returns: whether there is room for it. If not it must not begin.
    public mutating func begin(_ address: Address, at now: Timestamp) -> Bool {
        if underWay == mostUnderWay { expireLookups(at: now) }
        if underWay == mostUnderWay { return false }
        guard let place = place(of: address) ?? placeForNew(address, at: now), !self[place].isUnderWay else {
            return false
        }
        places[underWay] = UInt16(place)
        self[place] = HostNameEntry(address, since: now, state: .pending, index: UInt8(underWay))
        underWay += 1
        return true
    }

    /// Cancels a lookup under way, which could not be made.
    public mutating func cancel(_ address: Address) {
        guard let place = place(of: address), self[place].isUnderWay else { return }
        endLookup(place)
        self[place] = HostNameEntry()
    }

    /// Takes the answer to a lookup, also one that comes too late; what was not asked for is not taken.
    ///
    /// - Parameters:
    ///   - name: the name, or `nil` for none.
    ///   - now: when it came.
    public mutating func store(_ name: HostName?, of address: Address, at now: Timestamp) {
        guard let place = place(of: address), self[place].state != .named else { return }
        if !self[place].isUnderWay && isOver(place, at: now) { return }
        settle(place, with: name, at: now)
    }

    // MARK: Lookups under way

    @inline(never)
    private mutating func settle(_ place: Int, with name: HostName?, at now: Timestamp) {
        if self[place].isUnderWay { endLookup(place) }
        self[place].since = now
        self[place].state = .absent
        if let name {
            self[place].state = .named
            self[place].name = name
        }
    }

    /// Takes a lookup off the list of those under way; the last in the list takes its place there.
    private mutating func endLookup(_ place: Int) {
        let index = self[place].index
        underWay -= 1
        places[Int(index)] = places[underWay]
        self[Int(places[underWay])].index = index
    }

    /// Settles the lookups that take too long.
    private mutating func expireLookups(at now: Timestamp) {
        if now.isWithin(Self.expiryInterval - 1, after: lastExpiry) { return }
        lastExpiry = now
        var index = underWay
        while index > 0 {  // from behind, where the list gets shorter
            index -= 1
            let place = Int(places[index])
            if isOver(place, at: now) { settle(place, with: nil, at: now) }
        }
    }

    // MARK: Places

    /// A place is the number of a set, and of one of its eight entries.
    private subscript(place: Int) -> HostNameEntry {
        @inline(__always) mutating _read { yield sets[place >> 3][place & 7] }
        @inline(__always) _modify { yield &sets[place >> 3][place & 7] }
    }

    @inline(never)
    private func firstPlace(for address: Address) -> Int { (Int(key.hash(address)) & (setCount - 1)) << 3 }

    @inline(never)
    private mutating func place(of address: Address) -> Int? {
        let first = firstPlace(for: address)
        for place in first..<first + 8 where self[place].isOf(address) { return place }
        return nil
    }

    /// The place that something new takes, if not all are taken by lookups under way.
    private mutating func placeForNew(_ address: Address, at now: Timestamp) -> Int? {
        let first = firstPlace(for: address)
        var oldest: Int?
        for place in first..<first + 8 where !self[place].isUnderWay {
            if isOver(place, at: now) { return place }
            if let other = oldest, self[other].since <= self[place].since { continue }
            oldest = place
        }
        return oldest
    }

    /// Whether what an entry says is too old; always, of an empty one.
    @inline(never)
    private mutating func isOver(_ place: Int, at now: Timestamp) -> Bool {
        let time: Int64
        switch self[place].state {
        case .empty: return true
        case .pending: time = HostNameAnswer.patience + morePatience
        case .absent: time = Self.absencesLast
        case .named: time = Self.namesLast
        }
        return !now.isWithin(time - 1, after: self[place].since)
    }
}

/// One address of a cache. All zero, it is empty.
private struct HostNameEntry {
    enum State: UInt8 {
        case empty = 0
        case pending
        case absent
        case named
    }

    let address: Address
    var state: State
    /// Of a lookup under way: where in the list of these it is.
    var index: UInt8
    var name: HostName
    /// When it came into this state.
    var since: Timestamp

    init() {
        self.init(Address(ipv6High: 0, low: 0), since: Timestamp(nanoseconds: 0), state: .empty, index: 0)
    }

    init(_ address: Address, since: Timestamp, state: State, index: UInt8) {
        self.address = address
        self.since = since
        self.state = state
        self.index = index
        name = HostName()
    }

    var isUnderWay: Bool { state == .pending }

    func isOf(_ other: Address) -> Bool { state != .empty && address == other }
}

extension HostNameCache {
    /// What is wrong with the cache, if anything is: for tests.
    var fault: String? {
        mutating get {
            var found = 0
            for place in 0..<setCount * 8 {
                let entry = self[place]
                if entry.state == .empty { continue }
                if place >> 3 != firstPlace(for: entry.address) >> 3 { return "an address in another's set" }
                if self.place(of: entry.address) != place { return "an address twice" }
                if !entry.isUnderWay { continue }
                found += 1
                if entry.index >= underWay || places[Int(entry.index)] != place { return "a lookup not in the list" }
            }
            return found == underWay ? nil : "more in the list than lookups"
        }
    }
}
