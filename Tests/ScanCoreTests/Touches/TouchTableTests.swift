import Testing

@testable import ScanCore

/// What sources touch in a minute: bounded, the most active first in line, and nothing left out without being counted.
struct TouchTableTests {
    private typealias Table = TouchTable<4096>

    private func probe(
        _ source: UInt32, port: UInt16 = 22, to host: UInt32 = 2, _ flags: TCPFlags = .syn
    ) -> Probe {
        Probe(
            source: Address(ipv4: 0x0a00_0000 + source), destination: Address(ipv4: 0xc000_0200 + host),
            sourcePort: 40_000, destinationPort: port, transport: .tcp(flags), typeOfService: 0, timeToLive: 64)
    }

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: .seconds(1000 + seconds)) }

    /// All messages that are due: the touches by their source, and the number of the rest.
    private func read(
        _ table: inout Table, at seconds: Int64, atExit: Bool = false
    ) -> (touches: [UInt32: Touch], rest: UInt32) {
        var touches: [UInt32: Touch] = [:]
        var rest: UInt32 = 0
        while let message = table.next(at: at(seconds), atExit: atExit) {
            switch message {
            case .source(let touch):
                let previous = touches.updateValue(touch, forKey: UInt32(touch.source.low) - 0x0a00_0000)
                #expect(previous == nil, "a source twice")
            case .rest(let count): rest += count
            }
        }
        return (touches, rest)
    }

    @Test func whatASourceTouchesIsKnownWhenItsMinuteIsOver() throws {
        var table = Table(key: .forTests)
        var due = table.due
        #expect(due == nil)
        table.note(probe(1, port: 22), at: at(0), realTime: .seconds(500))
        table.note(probe(1, port: 80, to: 3), at: at(10), realTime: .seconds(510))
        table.note(probe(1, port: 22), at: at(20), realTime: .seconds(520))
        due = table.due
        #expect(due == at(60))
        let early = read(&table, at: 59)
        #expect(early.touches.isEmpty)
        let minute = read(&table, at: 60)
        let touch = try #require(minute.touches[1])
        #expect((touch.packets, touch.first, touch.last) == (3, .seconds(500), .seconds(520)))
        #expect(touch.hasOtherDestinations && !touch.hasOtherPorts)
        #expect((0..<touch.ports.count).map { touch.ports[$0] } == [22, 80])
        #expect(minute.rest == 0 && minute.touches.count == 1)
        due = table.due
        #expect(due == nil)
    }

    @Test func answersAreNoTouches() {
        var table = Table(key: .forTests)
        for flags in [TCPFlags.ack, .rst, .syn.union(.ack), .rst.union(.ack)] {
            table.note(probe(1, flags), at: at(0), realTime: 0)
        }
        let due = table.due
        #expect(due == nil)
        for (number, flags) in [TCPFlags.syn, .fin, .none, .fin.union(.psh).union(.urg)].enumerated() {
            table.note(probe(UInt32(number), flags), at: at(0), realTime: 0)
        }
        let minute = read(&table, at: 60)
        #expect(minute.touches.count == 4)
    }

    @Test func aSourceThatIsReportedIsLeftOutForItsMinute() {
        var table = Table(key: .forTests)
        for source in 1...3 as ClosedRange<UInt32> { table.note(probe(source), at: at(0), realTime: 0) }
        table.leaveOut(Address(ipv4: 0x0a00_0002))
        table.leaveOut(Address(ipv4: 0x0a00_0099))  // which is not there
        table.note(probe(2), at: at(1), realTime: 0)
        let minute = read(&table, at: 60)
        #expect(minute.touches.keys.sorted() == [1, 3] && minute.rest == 0)
        table.note(probe(2), at: at(61), realTime: 0)
        let nextMinute = read(&table, at: 121)
        #expect(nextMinute.touches.keys.sorted() == [2])
    }

    @Test func theMostActiveAreNamedAndTheOthersCounted() {
        var table = Table(key: .forTests)
        for source in 1...1500 as ClosedRange<UInt32> {
            let count = source <= 900 ? 3 : source <= 1300 ? 2 : 1
            for _ in 0..<count { table.note(probe(source), at: at(0), realTime: 0) }
        }
        let minute = read(&table, at: 60)
        #expect(minute.touches.count == 1000)
        #expect(minute.touches.values.count { $0.packets == 3 } + Int(minute.rest) >= 900)
        #expect(minute.touches.values.allSatisfy { $0.packets >= 2 })
        #expect(minute.rest == 500)
    }

    /// Forged sources of one packet each never evict one that has more, and each of them is named or counted.
    @Test func aFloodEvictsNobodyWhoGoesOn() {
        var table = Table(key: .forTests)
        for port in 1...3 as ClosedRange<UInt16> { table.note(probe(1, port: port), at: at(0), realTime: 0) }
        for source in 1000..<101_000 as Range<UInt32> { table.note(probe(source), at: at(1), realTime: 0) }
        let minute = read(&table, at: 60)
        #expect(minute.touches[1]?.packets == 3)
        #expect(minute.touches.count == 1000)
        #expect(UInt32(minute.touches.count) + minute.rest == 100_001)
    }

    @Test func moreThanTwentyPortsAreSaidToBeMore() throws {
        var table = Table(key: .forTests)
        for port in 1...21 as ClosedRange<UInt16> { table.note(probe(1, port: port), at: at(0), realTime: 0) }
        let minute = read(&table, at: 60)
        let touch = try #require(minute.touches[1])
        #expect(touch.ports.count == 20 && touch.hasOtherPorts && touch.packets == 21)
    }

    /// A reader that is slower than the minutes loses sources, which count as the rest of the next.
    @Test func whatIsNotReadInTimeIsCounted() {
        var table = Table(key: .forTests)
        for source in 1...10 as ClosedRange<UInt32> { table.note(probe(source), at: at(0), realTime: 0) }
        for _ in 0..<4 { _ = table.next(at: at(60)) }
        for source in 21...23 as ClosedRange<UInt32> { table.note(probe(source), at: at(61), realTime: 0) }
        let minute = read(&table, at: 121)
        #expect(minute.touches.keys.sorted() == [21, 22, 23] && minute.rest == 6)
    }

    @Test func atTheExitAllIsRead() {
        var table = Table(key: .forTests)
        for source in 1...10 as ClosedRange<UInt32> { table.note(probe(source), at: at(0), realTime: 0) }
        for _ in 0..<4 { _ = table.next(at: at(60)) }
        for source in 21...23 as ClosedRange<UInt32> { table.note(probe(source), at: at(61), realTime: 0) }
        let minute = read(&table, at: 62, atExit: true)
        #expect(minute.touches.count == 6 + 3 && minute.rest == 0)
        let last = read(&table, at: 62, atExit: true)
        #expect(last.touches.isEmpty)
    }

    @Test func allZeroIsTheEmptyTable() {
        // Not byte for byte: what stands in the gaps between fields is nobody's. What is compared is all that is read.
        let key = HashKey([0, 0, 0, 0, 0])
        let size = MemoryLayout<Table>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<Table>.alignment)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let zeroed = unsafe memory.assumingMemoryBound(to: Table.self)
        unsafe zeroed.pointee.start(key: key)
        var made = Table(key: key)
        let isDue = unsafe zeroed.pointee.due != nil
        #expect(!isDue)
        for source in 1...40 as ClosedRange<UInt32> {
            unsafe zeroed.pointee.note(probe(source), at: at(0), realTime: 0)
            made.note(probe(source), at: at(0), realTime: 0)
        }
        let found = unsafe read(&zeroed.pointee, at: 60)
        let expected = read(&made, at: 60)
        #expect(found.touches.keys.sorted() == expected.touches.keys.sorted() && found.rest == expected.rest)
        #expect(!found.touches.isEmpty && size <= 700_000)
    }

    @Test func aMessageComesBackAsItWas() throws {
        var table = Table(key: .forTests)
        for port in 1...25 as ClosedRange<UInt16> {
            table.note(probe(1, port: port, to: UInt32(port)), at: at(0), realTime: .seconds(-7))
        }
        let next = table.next(at: at(60))
        let message = try #require(next)
        for message in [message, .rest(.max)] {
            let encoded = message.encoded
            let again = try TouchMessage(encoded: encoded.span).encoded
            #expect(encoded.indices.allSatisfy { encoded[$0] == again[$0] })
        }
    }

    /// The place of a byte, and what makes it none.
    @Test(arguments: [(0, 16), (0, 32), (1, 0), (1, 21), (2, 1), (4, 0), (95, 1)] as [(Int, UInt8)])
    func whatNoTableMakesIsNoMessage(place: Int, value: UInt8) throws {
        var table = Table(key: .forTests)
        table.note(probe(1), at: at(0), realTime: 0)
        let next = table.next(at: at(60))
        var bytes = try #require(next).encoded
        bytes[place] = value
        if place == 4 { bytes[7] = 0 }
        #expect(throws: PacketFault.malformed) { try TouchMessage(encoded: bytes.span) }
        #expect(throws: PacketFault.truncated) { try TouchMessage(encoded: bytes.span.extracting(0..<95)) }
    }
}
