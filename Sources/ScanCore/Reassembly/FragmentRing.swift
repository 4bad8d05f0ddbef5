/// Something that is known of a packet which comes in fragments.
protocol FragmentRecord {
    /// The packet's name.
    var name: FragmentKey { get }
    /// When the fragment came that it is known from.
    var begin: Timestamp { get }
}

extension FragmentRecord {
    /// Whether it may be of a packet of a name, whichever link that came over: a host may be on several links with one
    /// other, and joins what comes over either.
    func isOf(_ other: FragmentKey) -> Bool {
        name.source == other.source && name.destination == other.destination
            && name.identification == other.identification
    }

    /// Whether its host may still join the packet.
    func isAlive(at now: Timestamp) -> Bool {
        now.isWithin(name.source.isIPv4 ? Parameters.fragmentLifetime : Parameters.fragmentLifetimeIPv6, after: begin)
    }
}

/// Records in a ring of fixed memory, 16 for each of `lines`, found by a hash that is not 0. The oldest makes room.
struct FragmentRing<let lines: Int, Record: FragmentRecord>: ~Copyable {
    private var records: InlineArray<lines, InlineArray<16, Record>>
    private var hashes = InlineArray<lines, HashLine>(repeating: HashLine())
    /// Where the next record goes, in the place of the oldest.
    private(set) var next = 0

    /// A ring of records of nobody's.
    init(_ empty: Record) {
        records = InlineArray(repeating: InlineArray(repeating: empty))
    }

    /// Where a search begins: at the line of the youngest record.
    struct Search {
        fileprivate var line: Int
        fileprivate var linesLeft: Int
        /// The slots of the line that are still to be looked at are those below this one.
        fileprivate var slot = 16
    }

    /// A search that has found nothing yet.
    var newest: Search { Search(line: (next + lines * 16 - 1) / 16 % lines, linesLeft: lines) }

    /// The next record with a hash, line by line from the youngest on; the line that is half old comes first as a whole.
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

    /// The record at a place.
    subscript(place: Int) -> Record {
        mutating get { records[place >> 4][place & 15] }
        set { records[place >> 4][place & 15] = newValue }
    }

    /// Takes a record out.
    mutating func forget(_ place: Int) {
        hashes[place >> 4][place & 15] = 0
    }

    /// Whether there is a record at a place, and in time.
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

/// The hashes of 16 records, looked through together.
struct HashLine {
    private typealias Slots = SIMD16<UInt32>

    private var slots = Slots(repeating: 0)

    subscript(slot: Int) -> UInt32 {
        get { slots[slot] }
        set { slots[slot] = newValue }
    }

    /// Whether any is equal to a hash.
    func has(_ hash: UInt32) -> Bool {
        // Only of 0 neither the number nor its negative has the top bit set. By halves, as `any` of SIMD masks needs a
        // heap.
        let differences = slots ^ Slots(repeating: hash)
        let isZero = ~(differences | (0 &- differences)) &>> 31
        let of8 = isZero.lowHalf | isZero.highHalf
        let of4 = of8.lowHalf | of8.highHalf
        let of2 = of4.lowHalf | of4.highHalf
        return of2.x | of2.y != 0
    }
}
