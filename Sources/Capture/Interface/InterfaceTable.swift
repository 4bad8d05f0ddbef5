import CLinux
import ScanCore
import System

/// The state of the interfaces to capture from, as currently known and as last reported.
///
/// Changes are found by comparing the two, so that it doesn't matter whether messages arrive one by one or as a whole
/// dump.
///
/// All accessors of the entries are mutating, also where they change nothing: otherwise the compiler (Swift 6.3) copies
/// the whole table. All of them are called rarely, and not inlined.
struct InterfaceTable {
    /// A change of an interface.
    enum Change {
        case up, down, gone
        /// An interface that did not exist, or another one of the same name. It may be up or down.
        case new
    }

    /// The maximum number of interfaces tracked at a time; changes of others are not reported, but their packets are
    /// captured.
    static let capacity = 128

    /// Whether all interfaces are wanted, not only those with certain names.
    let followsAll: Bool

    private var entries = InlineArray<128, Entry>(repeating: Entry())
    /// How many interfaces are known or named.
    private(set) var count = 0
    /// The requested names of the first entries, unless all interfaces are wanted.
    private var requests = InlineArray<16, RequestedName?>(repeating: nil)

    private struct Entry {
        /// Its own name, or the last one that it had.
        var name = InterfaceName()
        var now = State()
        var reported = State()
        var isListed = false
    }

    /// The index is 0 if there is no such interface.
    private struct State: Equatable {
        var index: Int32 = 0
        var isUp = false
    }

    /// A table of interfaces that don't exist yet. Named ones have the same positions in it as among the names.
    ///
    /// - Throws: an error if one can't exist.
    init(_ names: InterfaceNames) throws(SystemError) {
        followsAll = names.areAll
        if followsAll { return }
        for index in 0..<names.count {
            let isLabel = try isAddressLabel(names[index])
            guard let name = RequestedName(names[index], isLabel: isLabel) else {
                throw InterfaceTable.missing(names[index])
            }
            requests[index] = name
        }
        count = names.count
    }

    /// The error that a named interface doesn't exist.
    private static func missing(_ name: CString) -> SystemError {
        SystemError(name, "open interface", code: ENODEV)
    }

    /// Checks that there is an interface of each name, and a different one for each.
    @inline(never)
    mutating func checkRequests() throws(SystemError) {
        if followsAll { return }
        for position in 0..<count {
            guard let text = requests[position]?.text else { continue }
            guard let index = index(at: position) else { throw InterfaceTable.missing(text) }
            for earlier in 0..<position where self.index(at: earlier) == index {
                throw SystemError(text, "open interface", because: "given twice: it is named before by another name")
            }
        }
    }

    /// Updates the state of an interface.
    ///
    /// - Parameter datagram: the datagram that the message is in.
    @inline(never)
    mutating func update(_ link: RouteMessage, in datagram: Span<UInt8>) {
        if followsAll {
            for position in 0..<count where entries[position].now.index == link.index {
                if entries[position].name != link.name { entries[position].now = State() }  // it was renamed
            }
            if let position = place(of: link.name) { set(position, to: link) }
            return
        }
        for position in 0..<count {
            if let name = requests[position], link.isOf(name, in: datagram) {
                entries[position].name = link.name
                set(position, to: link)
            } else if entries[position].now.index == link.index {
                entries[position].now = State()  // it has lost the name
            }
        }
    }

    private mutating func set(_ position: Int, to link: RouteMessage) {
        entries[position].now = State(index: link.index, isUp: link.isUp)
        entries[position].isListed = true
    }

    /// Records that an interface has been deleted.
    @inline(never)
    mutating func remove(_ index: Int32) {
        for position in 0..<count where entries[position].now.index == index {
            entries[position].now = State()
        }
    }

    /// Begins a dump of all interfaces: each is to be passed to ``update(_:in:)``.
    @inline(never)
    mutating func beginList() {
        for position in 0..<count { entries[position].isListed = false }
    }

    /// Ends a dump: interfaces that were not in it have been deleted.
    @inline(never)
    mutating func endList() {
        for position in 0..<count where entries[position].isListed == false {
            entries[position].now = State()
        }
    }

    /// An interface with a change to report.
    struct Difference {
        /// Its position in the table: for a named one, also its position among the names.
        let position: Int
        let name: InterfaceName
        /// The name it was requested by, if that is not its own name.
        let otherName: CString?
        let index: Int32
        let change: Change
    }

    /// The next interface whose state differs from the reported one; its state then counts as reported.
    @inline(never)
    mutating func nextChange() -> Difference? {
        var position = 0
        while position < count {
            let entry = entries[position]
            let isObsolete = followsAll && entry.now.index == 0
            if isObsolete { remove(position) } else { entries[position].reported = entry.now }
            if entry.now != entry.reported {
                return Difference(
                    position: position, name: entry.name, otherName: otherName(at: position), index: entry.now.index,
                    change: InterfaceTable.change(from: entry.reported, to: entry.now))
            }
            if !isObsolete { position += 1 }
        }
        return nil
    }

    private mutating func otherName(at position: Int) -> CString? {
        if followsAll { return nil }
        guard let request = requests[position], request.isOther(than: entries[position].name) else { return nil }
        return request.text
    }

    /// Marks everything as reported, except that named interfaces are down.
    @inline(never)
    mutating func markReportedExceptDown() {
        for position in 0..<count {
            entries[position].reported = entries[position].now
            if !followsAll { entries[position].reported.isUp = true }
        }
    }

    private static func change(from old: State, to new: State) -> Change {
        if new.index == 0 { return .gone }
        if new.index != old.index { return .new }
        return new.isUp ? .up : .down
    }

    /// The indexes of the named interfaces that exist; `nil` if all are wanted.
    var wanted: InterfaceIndexes? {
        @inline(never)
        mutating get {
            if followsAll { return nil }
            var indexes = InterfaceIndexes()
            for position in 0..<count {
                if let index = index(at: position), indexes.count < InterfaceNames.most { indexes.append(index) }
            }
            return indexes
        }
    }

    /// The index of a known interface, `nil` if it doesn't exist. The position is 0 to ``count`` - 1.
    mutating func index(at position: Int) -> Int32? {
        let index = entries[position].now.index
        return index == 0 ? nil : index
    }

    /// The interface's own name.
    mutating func name(at position: Int) -> InterfaceName { entries[position].name }

    @inline(never)
    private mutating func find(_ name: InterfaceName) -> Int? {
        for position in 0..<count where entries[position].name == name { return position }
        return nil
    }

    /// The position of an interface, which is added if it wasn't known; `nil` if there is no room.
    private mutating func place(of name: InterfaceName) -> Int? {
        if let position = find(name) { return position }
        if count == InterfaceTable.capacity { return nil }
        entries[count].name = name
        count += 1
        return count - 1
    }

    private mutating func remove(_ position: Int) {
        count -= 1
        entries[position] = entries[count]
        entries[count] = Entry()
    }
}
