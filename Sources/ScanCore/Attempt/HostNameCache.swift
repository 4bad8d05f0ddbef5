/// The result of a host name query for an address.
public enum HostNameAnswer: Equatable, Sendable {
    /// The address has this name.
    case name(HostName)
    /// There is no usable name: the address is printed instead.
    case noName
    /// It is being looked up.
    case pending

    /// The default time limit of a lookup, in nanoseconds. After it there is no name.
    public static var patience: Int64 { 2_000_000_000 }
}

/// A cache of host names, and the list of pending lookups. Memory is fixed, and the work for a packet is bounded,
/// whatever arrives.
///
/// The keyed hash of an address selects a set of eight entries, so that an attacker can't target a set. A new entry
/// replaces an expired one, or else the oldest, but never a pending lookup. So a name that was just stored is still
/// there at the next query.
///
/// An all-zero value is an empty cache; ``start(key:)`` sets its key. Reading the entries is mutating: otherwise the
/// compiler copies the whole cache.
///
/// - `setCount`: the number of sets: a power of two, at most 8,192.
/// - `mostUnderWay`: the maximum number of pending lookups, 1 to 256.
public struct HostNameCache<let setCount: Int, let mostUnderWay: Int>: ~Copyable {
    /// How long a name is cached, in nanoseconds.
    public static var namesLast: Int64 { 300_000_000_000 }
    /// How long the absence of a name is cached, in nanoseconds.
    public static var absencesLast: Int64 { 60_000_000_000 }

    private typealias Set = InlineArray<8, HostNameEntry>

    private var key = HashKey([0, 0, 0, 0, 0])
    /// The time limit of a lookup beyond the default, in nanoseconds.
    private var morePatience: Int64 = 0
    private var sets = InlineArray<setCount, Set>(repeating: Set(repeating: HostNameEntry()))

    /// The places of the pending lookups, in no order.
    private var places = InlineArray<mostUnderWay, UInt16>(repeating: 0)
    /// The number of pending lookups, including timed-out ones that have not been expired yet.
    public private(set) var underWay = 0
    /// When timed-out lookups were last expired. The scan is rate-limited, so that a flood can't trigger it for every
    /// packet.
    private var lastExpiry = Timestamp(nanoseconds: 0)
    private static var expiryInterval: Int64 { 100_000_000 }

    /// An empty cache.
    init() {}

    /// Sets the key of an empty cache.
    ///
    /// - Parameters:
    ///   - key: must be secret.
    ///   - patience: how long a lookup may take, in nanoseconds.
    public mutating func start(key: HashKey, patience: Int64 = HostNameAnswer.patience) {
        self.key = key
        morePatience = patience - HostNameAnswer.patience
    }

    /// The cached result for an address, or `nil` if there is none.
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

    /// Registers a lookup of an address that is not in the cache.
    ///
    /// - Returns: whether there is room for it. If not, the lookup must not be started.
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

    /// Cancels a pending lookup that could not be made.
    public mutating func cancel(_ address: Address) {
        guard let place = place(of: address), self[place].isUnderWay else { return }
        endLookup(place)
        self[place] = HostNameEntry()
    }

    /// Stores the result of a lookup, even if it is late. A result that was not requested is ignored.
    ///
    /// - Parameters:
    ///   - name: the name, or `nil` for none.
    ///   - now: when the result arrived.
    public mutating func store(_ name: HostName?, of address: Address, at now: Timestamp) {
        guard let place = place(of: address), self[place].state != .named else { return }
        if !self[place].isUnderWay && isOver(place, at: now) { return }
        settle(place, with: name, at: now)
    }

    // MARK: Pending lookups

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

    /// Removes a lookup from the list of pending ones; the last in the list takes its index.
    private mutating func endLookup(_ place: Int) {
        let index = self[place].index
        underWay -= 1
        places[Int(index)] = places[underWay]
        self[Int(places[underWay])].index = index
    }

    /// Marks timed-out lookups as having no name.
    private mutating func expireLookups(at now: Timestamp) {
        if now.isWithin(Self.expiryInterval - 1, after: lastExpiry) { return }
        lastExpiry = now
        var index = underWay
        while index > 0 {  // backwards, as the list gets shorter
            index -= 1
            let place = Int(places[index])
            if isOver(place, at: now) { settle(place, with: nil, at: now) }
        }
    }

    // MARK: Places

    /// A place is the index of a set times eight, plus the index of one of its eight entries.
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

    /// The place for a new entry, unless pending lookups occupy the whole set.
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

    /// Whether an entry has expired; always true of an empty one.
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

/// The cache entry of an address. An all-zero entry is empty.
private struct HostNameEntry {
    enum State: UInt8 {
        case empty = 0
        case pending
        case absent
        case named
    }

    let address: Address
    var state: State
    /// The index of a pending lookup in the list of these.
    var index: UInt8
    var name: HostName
    /// When it entered this state.
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
    /// The first violated invariant of the cache, or `nil`: for tests.
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
