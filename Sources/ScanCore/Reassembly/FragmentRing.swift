/// A record about a fragmented packet.
protocol FragmentRecord {
    /// The packet's key.
    var name: FragmentKey { get }
    /// When the fragment that it was made from arrived.
    var begin: Timestamp { get }
}

extension FragmentRecord {
    /// Whether it may belong to the packet of a key, regardless of the link: two hosts may be connected by several
    /// links, and fragments from any of them are reassembled.
    func isOf(_ other: FragmentKey) -> Bool {
        name.source == other.source && name.destination == other.destination
            && name.identification == other.identification
    }

    /// Whether the host may still be reassembling the packet.
    func isAlive(at now: Timestamp) -> Bool {
        now.isWithin(name.source.isIPv4 ? Parameters.fragmentLifetime : Parameters.fragmentLifetimeIPv6, after: begin)
    }
}

/// A ring of records in fixed memory, 16 for each of `lines`, found by a nonzero hash. The oldest is overwritten.
struct FragmentRing<let lines: Int, Record: FragmentRecord>: ~Copyable {
    private var records: InlineArray<lines, InlineArray<16, Record>>
    private var hashes = InlineArray<lines, HashLine>(repeating: HashLine())
    /// The index of the next record, which replaces the oldest.
    private(set) var next = 0

    /// Creates a ring of unused records.
    init(_ empty: Record) {
        records = InlineArray(repeating: InlineArray(repeating: empty))
    }

    /// The state of a search, which begins at the line of the youngest record.
    struct Search {
        fileprivate var line: Int
        fileprivate var linesLeft: Int
        /// The slots of the line below this one are still to be examined.
        fileprivate var slot = 16
    }

    /// A new search from the youngest record.
    var newest: Search { Search(line: (next + lines * 16 - 1) / 16 % lines, linesLeft: lines) }

    /// The next record with a hash, line by line from the youngest on; the line with both youngest and oldest records
    /// is searched first, as a whole.
    mutating func match(_ hash: UInt32, from search: inout Search) -> Int? {
        while search.linesLeft > 0 {
            if search.slot < 16 || hashes[search.line].has(hash) {
                while search.slot > 0 {
                    search.slot -= 1
                    if hashes[search.line][search.slot] == hash { return search.line * 16 + search.slot }
                }
            }
            search.slot = 16
            search.linesLeft -= 1
            search.line = search.line == 0 ? lines - 1 : search.line - 1
        }
        return nil
    }

    /// The record at an index.
    subscript(place: Int) -> Record {
        mutating get { records[place >> 4][place & 15] }
        set { records[place >> 4][place & 15] = newValue }
    }

    /// Removes a record.
    mutating func forget(_ place: Int) {
        hashes[place >> 4][place & 15] = 0
    }

    /// Whether there is a record at an index that has not expired.
    mutating func holdsAlive(_ place: Int, at now: Timestamp) -> Bool {
        hashes[place >> 4][place & 15] != 0 && self[place].isAlive(at: now)
    }

    /// Adds a record.
    mutating func append(_ record: Record, _ hash: UInt32) {
        records[next >> 4][next & 15] = record
        hashes[next >> 4][next & 15] = hash
        next = next + 1 == lines * 16 ? 0 : next + 1
    }
}

/// The hashes of 16 records, searched together.
struct HashLine {
    private typealias Slots = SIMD16<UInt32>

    private var slots = Slots(repeating: 0)

    subscript(slot: Int) -> UInt32 {
        get { slots[slot] }
        set { slots[slot] = newValue }
    }

    /// Whether any slot equals a hash.
    func has(_ hash: UInt32) -> Bool {
        // Only for 0 do both the number and its negative have a clear top bit. By halves, as `any` of SIMD masks needs
        // a heap.
        let differences = slots ^ Slots(repeating: hash)
        let isZero = ~(differences | (0 &- differences)) &>> 31
        let of8 = isZero.lowHalf | isZero.highHalf
        let of4 = of8.lowHalf | of8.highHalf
        let of2 = of4.lowHalf | of4.highHalf
        return of2.x | of2.y != 0
    }
}
