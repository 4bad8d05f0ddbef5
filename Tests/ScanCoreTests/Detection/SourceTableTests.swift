import Testing

@testable import ScanCore

/// The table of sources, with a key under which a host's number is its hash, and its low bits the bucket.
struct SourceTableTests {
    @Test func anEmptyTableKnowsNobody() {
        let table = Table<4, 2>()
        #expect(table.held == 0 && table.evicted == 0)
        #expect(!table.knows(1) && !table.knows(0))
        #expect(table.fault == nil)
    }

    @Test func anUnusedEntryIsNotTheUnspecifiedSource() {
        // Unused entries hold an unspecified address, and are on no chain.
        #expect(!Table<4, 2>().knows(0))
    }

    @Test func whatWasAddedIsFound() {
        let table = Table<4, 2>()
        for host in UInt32(1)...4 {
            table.add(host)
            #expect(table.held == Int(host))
            for known in 1...host { #expect(table.port(of: known) == UInt16(known)) }
            #expect(!table.knows(host + 1))
        }
        #expect(table.evicted == 0)
    }

    @Test func entriesAreReusedInTheOrderTheyWereMade() {
        let table = Table<4, 2>()
        for host in UInt32(1)...20 {
            table.add(host)
            #expect((1...host).filter { table.knows($0) }.elementsEqual(max(host, 4) - 3...host))
        }
        #expect(table.held == 4)
        #expect(table.evicted == 16)
    }

    @Test func beingFoundDoesNotKeepASource() {
        let table = Table<4, 2>()
        for host in UInt32(1)...4 { table.add(host) }
        #expect(table.knows(1))
        table.add(5)
        #expect(!table.knows(1))
    }

    @Test(arguments: UInt32(1)...4)
    func oneThatIsTakenOutIsGoneAndTheOthersStay(gone: UInt32) {
        // One bucket: the first, the last and those in the middle of a chain.
        let table = Table<4, 1>()
        for host in UInt32(1)...4 { table.add(host) }
        table.remove(gone)
        #expect((UInt32(1)...4).filter { table.knows($0) } == (1...4).filter { $0 != gone })
        #expect(table.held == 3)
        #expect(table.evicted == 0)
    }

    @Test func aFreeEntryIsUsedBeforeAnybodyMakesRoom() {
        let table = Table<4, 1>()
        for host in UInt32(1)...4 { table.add(host) }
        table.remove(3)
        table.remove(2)
        table.add(5)
        table.add(6)
        #expect(table.knows(1) && table.knows(4) && table.knows(5) && table.knows(6))
        #expect(table.held == 4 && table.evicted == 0)
        table.add(7)
        #expect(!table.knows(1) && table.knows(4))
        #expect(table.held == 4 && table.evicted == 1)
    }

    @Test func oneThatIsOutdatedMakesRoomWhereverItStands() {
        for outdated in UInt32(1)...4 {
            let table = Table<4, 1>()
            for host in UInt32(1)...4 { table.add(host, at: host == outdated ? 0 : 1) }
            table.add(5, at: .seconds(3) + 1)
            #expect((UInt32(1)...5).filter { !table.knows($0) } == [outdated])
            #expect(table.evicted == 0)
        }
    }

    @Test func theOneThatTouchedFewestPortsMakesRoom() {
        for few in UInt32(1)...4 {
            let table = Table<4, 2>()
            for host in UInt32(1)...4 { table.add(host, ports: host == few ? 2 : 3, at: Int64(host)) }
            table.add(5, at: 10)
            #expect((UInt32(1)...5).filter { !table.knows($0) } == [few])
            #expect(table.evicted == 1)
        }
    }

    @Test func oneThatWasReportedGoesBeforeAllOthers() {
        let table = Table<4, 2>()
        for host in UInt32(1)...4 { table.add(host, ports: host == 3 ? 7 : 2) }
        table.add(5)
        #expect((UInt32(1)...5).filter { !table.knows($0) } == [3])
    }

    @Test func whoTouchesANewPortIsTheYoungest() {
        let table = Table<4, 2>()
        for host in UInt32(1)...4 { table.add(host) }
        table.touch(1, at: 1)
        table.touch(3, at: 2)
        for (new, gone) in [(UInt32(5), UInt32(2)), (6, 4), (7, 5)] {
            // Host 1 has two ports now, as 3 has, and the new ones one.
            table.add(new, at: 3)
            #expect(!table.knows(gone), "\(new) instead of \(gone)")
        }
        #expect(table.knows(1) && table.knows(3))
    }

    @Test func onlyThoseThatWaitedLongestAreCandidates() {
        // The ninth has one port and the eight that have waited longer have two: they are not spared for its sake.
        let table = Table<9, 16>()
        for host in UInt32(1)...8 { table.add(host, ports: 2) }
        table.add(9)
        table.add(10)
        #expect((UInt32(1)...10).filter { !table.knows($0) } == [1])
        #expect(table.mostExamined == Parameters.evictionCandidates)
    }

    @Test func inAFullBucketTheSameRuleHolds() {
        for gone in UInt32(1)...8 {
            let table = Table<40, 1>()
            for host in UInt32(1)...8 { table.add(host, ports: host == gone ? 2 : 3) }
            table.add(9)
            #expect((UInt32(1)...9).filter { !table.knows($0) } == [gone])
            #expect(table.evicted == 1)

            let other = Table<40, 1>()
            for host in UInt32(1)...8 { other.add(host, at: host == gone ? 0 : 1) }
            other.add(9, at: .seconds(3) + 1)
            #expect((UInt32(1)...9).filter { !other.knows($0) } == [gone])
            #expect(other.evicted == 0)
        }
    }

    @Test func noPacketLooksAtMoreThanTheBounds() {
        var random = SplitMix(seed: Seed.value ^ 9)
        let table = Table<50, 8>()
        var now: Int64 = 0
        for _ in 0..<3000 {
            now += Int64.random(in: 0...(.milliseconds(100)), using: &random)
            let host = UInt32.random(in: 1...200, using: &random)
            if table.knows(host) {
                table.touch(host, at: now)
            } else {
                table.add(host, ports: Int.random(in: 1...6, using: &random), at: now)
            }
        }
        #expect(table.mostExamined == max(Parameters.evictionCandidates, Parameters.collisionCap))
    }

    @Test func eightSourcesOfOneBucketAreKept() {
        let table = Table<40, 1>()
        for host in UInt32(1)...8 { table.add(host) }
        #expect((UInt32(1)...8).allSatisfy { table.knows($0) })
        #expect(table.evicted == 0)
    }

    @Test func theNinthPutsOutTheOldestOfItsBucket() {
        let table = Table<40, 1>()
        for host in UInt32(1)...9 { table.add(host) }
        #expect(!table.knows(1))
        #expect((UInt32(2)...9).allSatisfy { table.knows($0) })
        #expect(table.held == 8)
        #expect(table.evicted == 1)
    }

    @Test func theCapIsOneOfEachBucket() {
        let table = Table<40, 2>()
        table.add(1)
        for host in UInt32(1)...9 { table.add(2 * host) }
        #expect(table.knows(1) && !table.knows(2))
        #expect((UInt32(2)...9).allSatisfy { table.knows(2 * $0) })
    }

    @Test func aFullBucketWhoseOldestIsNextToBeReusedLosesOnlyThat() {
        let table = Table<8, 1>()
        for host in UInt32(1)...8 { table.add(host) }
        table.add(9)
        #expect(!table.knows(1))
        #expect((UInt32(2)...9).allSatisfy { table.knows($0) })
        #expect(table.evicted == 1)
    }

    @Test func theMostRecentIsAlwaysFound() {
        let table = Table<3, 1>()
        for host in UInt32(1)...200 {
            table.add(host)
            #expect(table.knows(host))
            if host % 7 == 0 { table.remove(host) }
        }
    }

    @Test func aWalkPassesAtMostAsManyAsTheCap() {
        let table = Table<200, 1>()
        for host in UInt32(1)...200 {
            table.add(host)
            #expect(table.passed(lookingFor: 1000) <= Parameters.collisionCap)
        }
        #expect(table.passed(lookingFor: 1000) == 8)
    }
}

/// The check of the table itself: a check that finds nothing wrong with a broken table proves nothing.
struct TableFaultTests {
    private let table = Table<4, 2>()

    init() {
        for host in UInt32(1)...4 { table.add(host) }
    }

    @Test func aWholeTableHasNoFault() {
        #expect(table.fault == nil)
    }

    @Test func aLostEntryIsFound() {
        table.spoilLink(1) { $0.isLinked = false }
        #expect(table.fault == "held differs from the linked entries")
    }

    @Test func anUnusedEntryOnAChainIsFound() {
        let removed = table.index(of: 2)
        table.remove(2)
        table.spoilLink(4) { $0.next = UInt16(removed + 1) }
        #expect(table.fault == "an unused entry is on a chain")
    }

    @Test func aLinkOutOfTheTableIsFound() {
        table.spoilLink(2) { $0.next = 5 }
        #expect(table.fault == "a link leads out of the table")
    }

    @Test func aLinkToAnotherChainIsFound() {
        let other = table.index(of: 1)
        table.spoilLink(2) { $0.next = UInt16(other + 1) }
        #expect(table.fault == "an entry is on a chain that is not its own")
    }

    @Test func aSourceInTheWrongBucketIsFound() {
        table.spoil(2) { $0.report.source = Address(hash: 3) }
        #expect(table.fault == "an entry is in a bucket its address does not hash to")
    }

    @Test func aCircleIsFound() {
        let first = table.index(of: 4)
        table.spoilLink(2) { $0.next = UInt16(first + 1) }
        #expect(table.fault == "an entry's neighbour before it is another one")
    }

    @Test func aWrongNeighbourIsFound() {
        table.spoilLink(2) { $0.previous = 0 }
        #expect(table.fault == "an entry's neighbour before it is another one")
    }

    @Test func aBrokenOrderIsFound() {
        table.spoilLink(3) { $0.older = 0 }
        #expect(table.fault == "an entry's neighbour in the order is another one")
    }

    @Test func anOrderThatIsCutIsFound() {
        table.spoilLink(3) { $0.younger = 0 }
        #expect(table.fault == "the youngest is not the end of the order")
    }

    @Test func aFreeEntryThatIsLostIsFound() {
        let index = table.index(of: 3)
        table.remove(2)
        table.remove(3)
        #expect(table.fault == nil)
        table.spoilLink(at: index) { $0.next = 0 }  // before it, the entry of 2
        #expect(table.fault == "an entry is lost")
    }

    @Test func aCutChainIsFound() {
        table.spoilLink(4) { $0.next = 0 }
        #expect(table.fault == "a linked entry is on no chain, or on two")
    }
}

/// A table in which a host's bucket is the low bits of its number, and which is checked after every change.
private final class Table<let capacity: Int, let bucketCount: Int> {
    private var table = SourceTable<capacity, bucketCount>(key: .ofChosenHashes)

    var held: Int { table.held }
    var evicted: UInt64 { table.evicted }
    var fault: String? { table.fault }

    func knows(_ host: UInt32) -> Bool { table.find(Address(hash: host)).index != nil }

    func passed(lookingFor host: UInt32) -> Int { table.find(Address(hash: host)).passed }

    func index(of host: UInt32) -> Int {
        guard let index = table.find(Address(hash: host)).index else {
            preconditionFailure("\(host): not known")
        }
        return index
    }

    /// The port that a source was added with.
    func port(of host: UInt32) -> UInt16 { table.withEntry(index(of: host)) { $0.report.ports[0] } }

    var mostExamined: Int { table.mostExamined }

    /// Adds a source that has touched so many ports, of which the first is its number.
    func add(_ host: UInt32, ports: Int = 1, at time: Int64 = 0) {
        let now = Timestamp(nanoseconds: time)
        var segment = segment(to: UInt16(host), from: Address(hash: host))
        let place = table.find(segment.source)
        precondition(place.index == nil)
        var entry = SourceEntry(first: segment, at: now, realTime: 0)
        for _ in 1..<ports {
            segment.destinationPort += 1
            _ = entry.record(segment, at: now)
        }
        table.insert(entry, place)
        if let fault { Issue.record("\(fault)") }
    }

    /// Has a source touch one more port.
    func touch(_ host: UInt32, at time: Int64) {
        let index = index(of: host)
        let segment = segment(to: 1000, from: Address(hash: host))
        _ = table.withEntry(index) { $0.record(segment, at: Timestamp(nanoseconds: time)) }
        table.touch(index)
        if let fault { Issue.record("\(fault)") }
    }

    func remove(_ host: UInt32) {
        table.remove(index(of: host))
        if let fault { Issue.record("\(fault)") }
    }

    /// Breaks the entry of a source.
    func spoil(_ host: UInt32, _ change: (inout SourceEntry) -> Void) {
        table.withEntry(index(of: host), change)
    }

    /// Breaks the place of a source's entry on its chain.
    func spoilLink(_ host: UInt32, _ change: (inout ChainLink) -> Void) {
        spoilLink(at: index(of: host), change)
    }

    func spoilLink(at index: Int, _ change: (inout ChainLink) -> Void) {
        change(&table.links[index])
    }
}
