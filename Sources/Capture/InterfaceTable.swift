import CLinux
import ScanCore

/// What is known of the interfaces that packets are wanted from, and what of it has been told.
///
/// Changes are found by comparing the two, so that it doesn't matter how the news came, one by one or as a whole list.
struct InterfaceTable {
    /// What can become of an interface.
    enum Change {
        case up, down, gone
        /// It is there that was not, or another of its name. It may be up or down.
        case new
    }

    /// The most interfaces that are known at a time; changes of more are not told. Packets come from all the same.
    static let capacity = 128

    /// Whether all interfaces are wanted, not only those with certain names.
    let followsAll: Bool

    private var entries = InlineArray<128, Entry?>(repeating: nil)
    /// How many interfaces are known or named.
    private(set) var count = 0

    private struct Entry {
        let name: InterfaceName
        var now = State()
        var told = State()
        var isListed = false
    }

    /// The number is 0 when there is no such interface.
    private struct State: Equatable {
        var index: Int32 = 0
        var isUp = false
    }

    /// A table of interfaces that don't exist yet.
    ///
    /// - Throws: that one can't exist.
    init(_ names: InterfaceNames) throws(SystemError) {
        followsAll = names.areAll
        if followsAll { return }
        for index in 0..<names.count {
            guard let name = InterfaceName(names[index]) else {
                throw InterfaceTable.missing(names[index])
            }
            if find(name) == nil { add(Entry(name: name)) }
        }
    }

    /// The error that a named interface doesn't exist.
    static func missing(_ name: ConstantText) -> SystemError {
        SystemError(name, "open interface", code: ENODEV)
    }

    /// Takes note of an interface as it is now.
    mutating func update(_ link: LinkMessage) {
        for position in 0..<count where entries[position]?.now.index == link.index {
            if entries[position]?.name != link.name { entries[position]?.now = State() }  // it was renamed
        }
        var position = find(link.name)
        if position == nil && followsAll && count < InterfaceTable.capacity {
            position = count
            add(Entry(name: link.name))
        }
        guard let position else { return }
        entries[position]?.now = State(index: link.index, isUp: link.isUp)
        entries[position]?.isListed = true
    }

    /// Takes note that an interface is no more.
    mutating func remove(_ index: Int32) {
        for position in 0..<count where entries[position]?.now.index == index {
            entries[position]?.now = State()
        }
    }

    /// Begins a list of all interfaces: each is to be told to ``update(_:)``.
    mutating func beginList() {
        for position in 0..<count { entries[position]?.isListed = false }
    }

    /// Ends a list: what was not on it is no more.
    mutating func endList() {
        for position in 0..<count where entries[position]?.isListed == false {
            entries[position]?.now = State()
        }
    }

    /// An interface that is not as it was last told, and how: from now on it is.
    mutating func nextChange() -> (name: InterfaceName, index: Int32, change: Change)? {
        var position = 0
        while position < count {
            guard let entry = entries[position] else { return nil }
            let isForgotten = followsAll && entry.now.index == 0
            if isForgotten { forget(position) } else { entries[position]?.told = entry.now }
            if entry.now != entry.told {
                return (entry.name, entry.now.index, InterfaceTable.change(from: entry.told, to: entry.now))
            }
            if !isForgotten { position += 1 }
        }
        return nil
    }

    /// Takes everything as told, but that a named interface is down.
    mutating func tellOnlyOfDown() {
        for position in 0..<count {
            guard let now = entries[position]?.now else { return }
            entries[position]?.told = now
            if !followsAll { entries[position]?.told.isUp = true }
        }
    }

    private static func change(from old: State, to new: State) -> Change {
        if new.index == 0 { return .gone }
        if new.index != old.index { return .new }
        return new.isUp ? .up : .down
    }

    /// The numbers of the named interfaces that exist; `nil` if all are wanted.
    var wanted: InterfaceIndexes? {
        if followsAll { return nil }
        var indexes = InterfaceIndexes()
        for position in 0..<count {
            if let index = index(at: position), indexes.count < InterfaceNames.most { indexes.append(index) }
        }
        return indexes
    }

    /// The number of an interface that is known, `nil` if it doesn't exist. The position is 0 to ``count`` - 1.
    func index(at position: Int) -> Int32? {
        guard let index = entries[position]?.now.index, index != 0 else { return nil }
        return index
    }

    /// Whether an interface exists.
    func exists(_ name: ConstantText) -> Bool {
        guard let name = InterfaceName(name), let position = find(name) else { return false }
        return entries[position]?.now.index != 0
    }

    private func find(_ name: InterfaceName) -> Int? {
        for position in 0..<count where entries[position]?.name == name { return position }
        return nil
    }

    private mutating func add(_ entry: Entry) {
        entries[count] = entry
        count += 1
    }

    private mutating func forget(_ position: Int) {
        count -= 1
        entries[position] = entries[count]
        entries[count] = nil
    }
}
