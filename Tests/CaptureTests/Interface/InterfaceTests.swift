import CLinux
import ScanCore
import System
import Testing

@testable import Capture

private func text(_ line: LogLine) -> String {
    String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
}

private func named(_ text: String) throws -> InterfaceName {
    let name = InterfaceName(Array(text.utf8).span)
    return try #require(name)
}

private func link(_ index: Int32, _ name: String, isUp: Bool = true) throws -> RouteMessage {
    RouteMessage(index: index, isUp: isUp, name: try named(name))
}

extension InterfaceTable {
    /// Takes note of an interface that has no other names.
    fileprivate mutating func update(_ link: RouteMessage) { update(link, in: [UInt8]().span) }

    /// Takes note of an interface that has other names.
    fileprivate mutating func update(
        _ index: Int, _ name: String, isUp: Bool = true, others: [String],
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let datagram = Message.link(index, name, isUp: isUp, others: others)
        var messages = RouteMessages()
        guard case .link(let link) = try messages.next(in: datagram.span) else {
            Issue.record("no interface", sourceLocation: location)
            return
        }
        update(link, in: datagram.span)
    }

    /// Every change that is to be told, in words.
    fileprivate mutating func changes() -> [String] {
        var found: [String] = []
        while let news = nextChange() {
            var line = LogLine()
            news.name.append(to: &line)
            if let other = news.otherName {
                line.append("=")
                line.append(other)
            }
            found.append("\(text(line)) \(news.index) \(news.change)")
        }
        return found
    }
}

private func expectChanges(
    _ expected: [String], of table: inout InterfaceTable, at sourceLocation: SourceLocation = #_sourceLocation
) {
    let changes = table.changes()
    #expect(changes == expected, sourceLocation: sourceLocation)
}

private func names(_ list: CString...) throws(SystemError) -> InterfaceNames {
    var names = InterfaceNames()
    for name in list { try names.append(name) }
    return names
}

struct InterfaceNameTests {
    @Test func aNameHasOneToFifteenBytes() {
        for count in 0...20 {
            let name = InterfaceName([UInt8](repeating: UInt8(ascii: "x"), count: count).span)
            let isName = name != nil
            #expect(isName == (1...15).contains(count))
        }
        let empty = InterfaceName([0, 120].span)
        #expect(empty == nil)
        #expect(InterfaceName("an interface") != nil)
        #expect(InterfaceName("sixteen bytes!!!") == nil)
    }

    @Test func aNameEndsWithAZero() throws {
        let (long, short) = (InterfaceName([101, 0, 102].span), InterfaceName([101].span))
        #expect(long == short)
        #expect(try named("eth0") != named("eth1"))
        #expect(try named("eth0") != named("eth"))
    }

    @Test func whatDoesNotPrintIsNotPrinted() {
        var line = LogLine()
        InterfaceName([10, 27, 65, 0x7e, 0x7f, 0xff].span)?.append(to: &line)
        #expect(text(line) == "??A~??")
    }
}

struct InterfaceNamesTests {
    @Test func aNameGivenTwiceIsTakenOnce() throws {
        let found = try names("eth0", "lo", "eth0", "lo", "eth1")
        #expect(found.count == 3)
        #expect(found[0] == "eth0" && found[1] == "lo" && found[2] == "eth1")
        #expect(!found.areAll)
        #expect(try names("any", "any").areAll)
    }

    @Test func sixteenCanBeNamed() throws {
        let sixteen: [CString] = [
            "i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9", "i10", "i11", "i12", "i13", "i14", "i15",
        ]
        var found = InterfaceNames()
        for name in sixteen + sixteen { try found.append(name) }
        #expect(found.count == 16)
        let error = #expect(throws: SystemError.self) { try found.append("i16") }
        #expect(error?.line.text == "i16: open interface: the most that can be named are 16")
    }

    @Test func anyStandsAlone() {
        for list in [["any", "eth0"], ["eth0", "any"], ["any", "any", "eth0"]] as [[CString]] {
            let error = #expect(throws: SystemError.self) {
                var found = InterfaceNames()
                for name in list { try found.append(name) }
            }
            #expect(error?.line.text == "any: open interface: it stands for all; name no other with it")
        }
    }
}

struct InterfaceTableTests {
    @Test func everyChangeOfANamedInterfaceIsToldOnce() throws {
        var table = try InterfaceTable(names("eth0"))
        expectChanges([], of: &table)
        table.update(try link(3, "eth0", isUp: false))
        table.update(try link(4, "eth1"))
        expectChanges(["eth0 3 new"], of: &table)
        table.update(try link(3, "eth0"))
        expectChanges(["eth0 3 up"], of: &table)
        expectChanges([], of: &table)
        table.update(try link(3, "eth0", isUp: false))
        expectChanges(["eth0 3 down"], of: &table)
        table.remove(3)
        expectChanges(["eth0 0 gone"], of: &table)
        #expect(table.wanted?.count == 0)
        table.update(try link(9, "eth0"))
        expectChanges(["eth0 9 new"], of: &table)
        #expect(table.wanted?.contains(9) == true)
    }

    @Test func anInterfaceThatWasReplacedUnseenIsNew() throws {
        var table = try InterfaceTable(names("eth0"))
        table.update(try link(3, "eth0"))
        _ = table.changes()
        table.remove(3)
        table.update(try link(4, "eth0"))
        expectChanges(["eth0 4 new"], of: &table)
    }

    @Test func aRenamedInterfaceIsGoneAndNew() throws {
        var all = try InterfaceTable(InterfaceNames())
        all.update(try link(3, "eth0"))
        _ = all.changes()
        all.update(try link(3, "wan"))
        expectChanges(["eth0 0 gone", "wan 3 new"], of: &all)
        #expect(all.count == 1)
        #expect(all.wanted == nil)
        var one = try InterfaceTable(names("wan"))
        one.update(try link(3, "wan"))
        _ = one.changes()
        one.update(try link(3, "eth0"))
        expectChanges(["wan 0 gone"], of: &one)
    }

    @Test func whatIsNotOnAListIsGone() throws {
        var table = try InterfaceTable(InterfaceNames())
        for index in 1...4 { table.update(try link(Int32(index), "if\(index)")) }
        _ = table.changes()
        table.beginList()
        table.update(try link(2, "if2"))
        table.update(try link(5, "if5"))
        table.endList()
        do {
            let changes = table.changes();
            #expect(changes.sorted() == ["if1 0 gone", "if3 0 gone", "if4 0 gone", "if5 5 new"])
        }
        #expect(table.count == 2)
    }

    @Test func atTheStartOnlyANamedInterfaceThatIsDownIsTold() throws {
        var one = try InterfaceTable(names("eth0", "eth1"))
        one.update(try link(3, "eth0", isUp: false))
        one.update(try link(4, "eth1"))
        one.markReportedExceptDown()
        expectChanges(["eth0 3 down"], of: &one)
        var all = try InterfaceTable(InterfaceNames())
        all.update(try link(3, "eth0", isUp: false))
        all.markReportedExceptDown()
        expectChanges([], of: &all)
    }

    @Test func moreInterfacesThanFitAreNotFollowed() throws {
        var table = try InterfaceTable(InterfaceNames())
        for index in 1...200 { table.update(try link(Int32(index), "if\(index)")) }
        let new = table.changes()
        #expect(new.count == InterfaceTable.capacity)
        table.update(try link(200, "if200", isUp: false))
        table.remove(200)
        expectChanges([], of: &table)
        for index in 1...200 { table.remove(Int32(index)) }
        let gone = table.changes()
        #expect(gone.count == InterfaceTable.capacity)
        #expect(table.count == 0)
    }

    @Test func aNameGivenTwiceIsOneInterface() throws {
        let table = try InterfaceTable(names("eth0", "eth0"))
        #expect(table.count == 1)
    }

    @Test(arguments: [0, 128, 1000]) func aNameThatNoInterfaceCanHaveIsRefused(length: Int) throws {
        let name = unsafe CString(unsafe: strdup(String(repeating: "x", count: length)))
        let impossible = try names(name)
        let error = #expect(throws: SystemError.self) { _ = try InterfaceTable(impossible) }
        #expect(error?.code == ENODEV)
    }

    @Test(arguments: [16, 126, 127]) func anAlternativeNameCanBeLong(length: Int) throws {
        let name = String(repeating: "x", count: length)
        let asked = unsafe CString(unsafe: strdup(name))
        var table = try InterfaceTable(names(asked))
        for other in [String(name.dropLast()), name + "x", name.dropLast() + "y"] {
            try table.update(3, "e0", others: [other])
            expectChanges([], of: &table)
        }
        try table.update(3, "e0", others: ["a", "bb", "ccc", name, "dddd"])
        expectChanges(["e0=\(name) 3 new"], of: &table)
    }

    @Test func anInterfaceIsFollowedUnderAnAlternativeName() throws {
        var table = try InterfaceTable(names("enp3s0", "e1"))
        try table.update(3, "e0", others: ["enp3s0"])
        table.update(try link(4, "e1"))
        try table.checkRequests()
        table.markReportedExceptDown()
        expectChanges([], of: &table)
        try table.update(3, "e0", isUp: false, others: ["enp3s0"])
        expectChanges(["e0=enp3s0 3 down"], of: &table)
        try table.update(3, "wan", isUp: false, others: ["enp3s0"])  // it is the same under another own name
        expectChanges([], of: &table)
        try table.update(3, "wan", others: ["enp3s0"])
        expectChanges(["wan=enp3s0 3 up"], of: &table)
        table.update(try link(3, "wan"))
        expectChanges(["wan=enp3s0 0 gone"], of: &table)
        try table.update(5, "e5", others: ["x", "enp3s0"])
        expectChanges(["e5=enp3s0 5 new"], of: &table)
        table.remove(5)
        table.update(try link(6, "enp3s0"))  // and this is an own name
        expectChanges(["enp3s0 6 new"], of: &table)
        #expect(table.wanted?.contains(6) == true && table.wanted?.contains(4) == true)
    }

    @Test func whereAllAreWantedOtherNamesDoNotMatter() throws {
        var table = try InterfaceTable(InterfaceNames())
        try table.update(3, "e0", others: ["enp3s0"])
        expectChanges(["e0 3 new"], of: &table)
    }

    @Test func anInterfaceGivenUnderTwoNamesIsRefused() throws {
        var table = try InterfaceTable(names("e0", "e1", "enp3s0"))
        try table.update(3, "e0", others: ["enp3s0"])
        table.update(try link(4, "e1"))
        do throws(SystemError) {
            try table.checkRequests()
            Issue.record("it is taken")
        } catch {
            #expect(text(error.line) == "enp3s0: open interface: given twice: it is named before by another name")
        }
    }

    @Test func aLabelIsTheInterfaceBeforeTheColon() throws {
        let label = try #require(RequestedName("eth0:1", isLabel: true))
        #expect(label.isOwn(try named("eth0")))
        #expect(label.isIn(Array("eth0".utf8).span) && !label.isIn(Array("eth0:1".utf8).span))
        let name = try #require(RequestedName("eth0:1"))
        #expect(!name.isOwn(try named("eth0")))
        #expect(name.isIn(Array("eth0:1".utf8).span) && name.isIn(Array("eth0:1".utf8 + [0, 7]).span))
        #expect(RequestedName(":1", isLabel: true) == nil)
        #expect(try !isAddressLabel("lo") && !isAddressLabel("lo:nobody-has-this"))
    }

    @Test(arguments: [31, 32, 33] as [UInt64]) func whatIsToldAgreesWithWhatIs(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        var table = try InterfaceTable(InterfaceNames())
        var real: [String: Int32] = [:]
        var told: Set<String> = []
        for step in 1...2_000 {
            let name = "if\(Int.random(in: 0..<40, using: &numbers))"
            if let index = real[name], Bool.random(using: &numbers) {
                table.remove(index)
                real[name] = nil
            } else {
                let index = real[name] ?? Int32(step)
                real[name] = index
                table.update(try link(index, name, isUp: Bool.random(using: &numbers)))
            }
            if Int.random(in: 0..<3, using: &numbers) > 0 { continue }
            for change in table.changes() {
                let words = change.split(separator: " ").map(String.init)
                if words[2] == "gone" { told.remove(words[0]) } else { told.insert(words[0]) }
            }
            #expect(told == Set(real.keys), "seed \(seed), step \(step)")
            #expect(table.count == real.count)
        }
    }
}

struct InterfaceNoticesTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

    private func news(
        _ change: InterfaceTable.Change, of name: InterfaceName, _ otherName: CString? = nil
    ) -> InterfaceTable.Difference {
        InterfaceTable.Difference(position: 0, name: name, otherName: otherName, index: 3, change: change)
    }

    @Test func aChangeIsOneLine() throws {
        let name = try named("eth0")
        for (change, line) in [
            (InterfaceTable.Change.up, "eth0: interface is up"), (.down, "eth0: interface is down"),
            (.gone, "eth0: interface is gone"), (.new, "eth0: new interface"),
        ] {
            var notices = InterfaceChangeLine()
            let notice = notices.line(news(change, of: name), at: time(0))
            let said = try #require(notice)
            #expect(text(said) == line)
            let another = notices.line(news(change, of: name, "enp3s0"), at: time(0))
            let saidOfIt = try #require(another)
            #expect(text(saidOfIt) == line.replacing("eth0", with: "eth0 (enp3s0)"))
        }
    }

    @Test func aMinuteHasSoManyLinesAndOneThatSaysThereAreMore() throws {
        let name = try named("eth0")
        var notices = InterfaceChangeLine()
        for start in [0, 61] as [Int64] {
            for _ in 0..<Parameters.interfaceLines {
                let line = notices.line(news(.up, of: name), at: time(start))
                #expect(line != nil)
            }
            let line = notices.line(news(.up, of: name), at: time(start + 59))
            let last = try #require(line)
            #expect(text(last) == "more interfaces changed; no line for each")
            let none = notices.line(news(.up, of: name), at: time(start + 59))
            #expect(none == nil)
        }
    }
}

/// Messages as the kernel writes them (rtnetlink(7)).
private enum Message {
    static func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    static func message(_ type: Int32, _ body: [UInt8], flags: Int32 = 0) -> [UInt8] {
        little(16 + body.count, 4) + little(Int(type), 2) + little(Int(flags), 2) + little(0, 8) + body
    }

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    static func attribute(_ type: Int, _ value: [UInt8]) -> [UInt8] {
        padded(little(4 + value.count, 2) + little(type, 2) + value)
    }

    static func information(_ index: Int, isUp: Bool, family: Int32 = AF_UNSPEC) -> [UInt8] {
        [UInt8(family), 0, 0, 0] + little(index, 4) + little(isUp ? 0x1003 : 0x1002, 4) + little(0, 4)
    }

    static func link(_ index: Int, _ name: String, isUp: Bool = true, others: [String] = []) -> [UInt8] {
        let names = others.flatMap { attribute(Int(IFLA_ALT_IFNAME), Array($0.utf8) + [0]) }
        let attributes =
            attribute(1, [1, 2, 3, 4, 5, 6]) + attribute(Int(IFLA_IFNAME), Array(name.utf8) + [0])
            + attribute(Int(IFLA_PROP_LIST) | 0x8000, names) + attribute(4, [0, 0, 0, 0])
        return message(Int32(RTM_NEWLINK), information(index, isUp: isUp) + attributes)
    }
}

struct LinkMessagesTests {
    private func read(_ datagram: [UInt8]) -> (items: [RouteMessages.Item], fault: NetlinkFault?) {
        var (messages, items) = (RouteMessages(), [RouteMessages.Item]())
        do throws(NetlinkFault) {
            while let item = try messages.next(in: datagram.span) {
                guard case .link(var link) = item else {
                    items.append(item)
                    continue
                }
                #expect(link.properties.upperBound <= datagram.count)
                _ = RequestedName("enp3s0").map { link.isOf($0, in: datagram.span) }
                link.properties = 0..<0
                items.append(.link(link))
            }
            return (items, nil)
        } catch {
            return (items, error)
        }
    }

    @Test func everyMessageOfADatagramIsRead() throws {
        let information = Message.information(7, isUp: false)
        let datagram =
            Message.link(3, "eth0") + Message.link(4, "wlan0", isUp: false)
            + Message.message(Int32(RTM_DELLINK), information)
            + Message.message(Int32(RTM_NEWROUTE), [1, 2, 3, 4])
            + Message.message(NLMSG_ERROR, Message.little(-16, 4)) + Message.message(NLMSG_DONE, [0, 0, 0, 0])
        let (items, fault) = read(datagram)
        #expect(fault == nil)
        let expected: [RouteMessages.Item] = [
            .link(try link(3, "eth0")), .link(try link(4, "wlan0", isUp: false)), .gone(index: 7), .other,
            .refused(16), .endOfList,
        ]
        #expect(items == expected)
    }

    @Test func whatABridgeSaysOfItsPortsIsOfNoInterest() {
        let body = Message.information(3, isUp: true, family: AF_BRIDGE)
        #expect(read(Message.message(Int32(RTM_NEWLINK), body)).items == [.other])
        #expect(read(Message.message(Int32(RTM_DELLINK), body)).items == [.other])
    }

    @Test func aListThatChangedMeanwhileSaysSo() throws {
        var messages = RouteMessages()
        let datagram = Message.message(NLMSG_DONE, [0, 0, 0, 0], flags: NLM_F_DUMP_INTR)
        let item = try messages.next(in: datagram.span)
        #expect(item == .endOfList)
        #expect(messages.areInterrupted)
    }

    @Test func aDatagramThatIsCutOffGivesWhatIsWhole() throws {
        let first = Message.link(3, "eth0")
        let datagram = first + Message.link(4, "eth1")
        for length in 0..<datagram.count {
            let (items, fault) = read(Array(datagram.prefix(length)))
            #expect(items == (length >= first.count ? [.link(try link(3, "eth0"))] : []))
            #expect((fault == nil) == (length == 0 || length == first.count), "length \(length)")
        }
    }

    @Test func lengthsThatLeadOutsideAreMalformed() {
        let good = Message.link(3, "eth0")
        for length in [0, 1, 15, good.count + 1, 0x7fff_ffff, 0xffff_ffff] {
            #expect(read(Message.little(length, 4) + good.dropFirst(4)).fault == .malformed)
        }
        for length in [0, 3, 200, 0xffff] {  // of the first attribute
            let bad = Array(good.prefix(32)) + Message.little(length, 2) + good.dropFirst(34)
            #expect(read(bad).fault == .malformed)
        }
    }

    @Test func anInterfaceWithoutANameIsMalformed() {
        let body = Message.information(3, isUp: true)
        #expect(read(Message.message(Int32(RTM_NEWLINK), body)).fault == .malformed)
        let long = body + Message.attribute(Int(IFLA_IFNAME), [UInt8](repeating: 65, count: 16))
        #expect(read(Message.message(Int32(RTM_NEWLINK), long)).fault == .malformed)
    }

    @Test(arguments: [41, 42, 43] as [UInt64]) func noDatagramLeadsOutsideItself(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let good = Message.link(3, "eth0", others: ["enp3s0", "x"]) + Message.link(4, "eth1", isUp: false)
        for _ in 0..<20_000 {
            var datagram = good
            for _ in 0..<Int.random(in: 1...6, using: &numbers) {
                datagram[Int.random(in: 0..<datagram.count, using: &numbers)] = .random(in: 0...255, using: &numbers)
            }
            _ = read(Array(datagram.prefix(Int.random(in: 0...datagram.count, using: &numbers))))
        }
    }
}

/// What the kernel says of the interfaces here; asking takes no privilege.
struct InterfaceWatchTests {
    @Test func theLoopbackInterfaceIsFound() throws {
        var watch = try InterfaceMonitor.begin(try names("lo"))
        let index = Int32(bitPattern: unsafe if_nametoindex("lo"))
        #expect(watch.table.index(at: 0) == index)
        try watch.update()
        #expect(watch.table.index(at: 0) == index)
        try watch.update()
    }

    @Test func anInterfaceThatIsMissingIsAnError() throws {
        let missing = try names("lo", "not-there")
        do throws(SystemError) {
            _ = try InterfaceMonitor.begin(missing)
            Issue.record("it was found")
        } catch {
            #expect(text(error.line) == "not-there: open interface: No such device")
        }
    }
}
