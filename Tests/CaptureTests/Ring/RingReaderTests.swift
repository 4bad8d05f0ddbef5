import CLinux
import ScanCore
import System
import Testing

@testable import Capture

private typealias P = TestPacket

private struct Sink: ProbeSink, ~Copyable {
    var flags: [UInt8?] = []
    var times: [Timestamp] = []
    var realTimes: [Int64] = []
    var faults: [PacketFault] = []
    /// How many segments there is room for.
    var room = Int.max
    var isFull: Bool { flags.count >= room }

    mutating func receive(_ segment: Probe, at now: Timestamp, realTime: Int64) {
        flags.append(segment.flags?.rawValue)
        times.append(now)
        realTimes.append(realTime)
    }

    mutating func count(_ fault: PacketFault) { faults.append(fault) }

    mutating func log(notice: LogLine) {}
}

private let key = HashKey([1, 2, 3, 4, 5])

private func read(
    _ block: TestBlock, _ selection: CaptureOptions = CaptureOptions(), wanted: InterfaceIndexes? = nil
) throws -> Sink {
    var intake = try RingReader(selection, key: key)
    intake.wanted = wanted
    var sink = Sink()
    intake.times.beginBatch(now: .now(), realTime: realTime())
    _ = intake.read(block.bytes.span, into: &sink)
    return sink
}

struct RingReaderTests {
    @Test func everySegmentOfABlockIsHandedOverWithItsTime() throws {
        var block = TestBlock()
        let now = realTime()
        block.add(P.ipv4(P.tcp(flags: 1)), realTime: now)
        block.add(P.ipv6(P.tcp(flags: 2)), etherType: 0x86dd, realTime: now)
        block.add(P.ipv4(P.tcp(flags: 0), next: 17), realTime: now)
        block.add(P.tag(P.ipv4(P.tcp(flags: 3)), type: 0x0800), realTime: now, status: 0x11)
        let sink = try read(block)
        #expect(sink.flags == [1, 2, 3])
        #expect(sink.faults == [.otherProtocol])
        #expect(sink.realTimes == [Int64](repeating: now, count: 3))
    }

    @Test func aBlockIsLeftWhereTheSinkIsFullAndGoneOnWithThere() throws {
        var block = TestBlock()
        for flags in 1...5 { block.add(P.ipv4(P.tcp(flags: UInt8(flags))), realTime: realTime()) }
        var intake = try RingReader(CaptureOptions(), key: key)
        var sink = Sink()
        for (room, isRead) in [(1, false), (2, false), (4, false), (6, true), (.max, true)] {
            sink.room = room
            intake.times.beginBatch(now: .now(), realTime: realTime())
            #expect(intake.read(block.bytes.span, into: &sink) == isRead)
            if !isRead { #expect(sink.flags.count == room) }
            if isRead && room < .max { #expect(sink.flags == [1, 2, 3, 4, 5]) }
        }
        #expect(sink.flags == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5])  // the last was a block of its own
        #expect(sink.faults.isEmpty)
    }

    @Test func fragmentsArePutTogetherAcrossBlocks() throws {
        var intake = try RingReader(CaptureOptions(), key: key)
        var sink = Sink()
        let header = P.tcp(flags: 2)
        for (start, more) in [(16, 0), (0, 0x2000), (8, 0x2000)] {
            var block = TestBlock()
            let part = Array(header[start..<min(start + 8, 20)])
            block.add(P.ipv4(part, fragment: UInt16(more | start / 8)), realTime: realTime())
            intake.times.beginBatch(now: .now(), realTime: realTime())
            #expect(intake.read(block.bytes.span, into: &sink))
        }
        #expect(sink.flags == [nil, 2])
        #expect(sink.faults.isEmpty)
    }

    @Test func packetsThatWereNotAskedForAreLeftOut() throws {
        var block = TestBlock()
        for (flags, kind) in [(1, PACKET_HOST), (2, PACKET_OTHERHOST), (3, PACKET_OUTGOING), (4, PACKET_BROADCAST)] {
            block.add(P.ipv4(P.tcp(flags: UInt8(flags))), kind: kind)
        }
        var selection = CaptureOptions()
        #expect(try read(block, selection).flags == [1, 4])
        selection.promiscuous = true
        #expect(try read(block, selection).flags == [1, 2, 4])
        selection.direction = .both
        #expect(try read(block, selection).flags == [1, 2, 3, 4])
        selection.promiscuous = false
        #expect(try read(block, selection).flags == [1, 3, 4])
        selection.direction = .outgoing
        #expect(try read(block, selection).flags == [3])
    }

    /// It comes as incoming, too.
    @Test func whatTheHostSendsItselfOverLoopbackComesOnce() throws {
        var block = TestBlock()
        for (flags, kind) in [(1, PACKET_OUTGOING), (2, PACKET_HOST)] {
            block.add(P.ipv4(P.tcp(flags: UInt8(flags))), kind: kind, hardwareType: 772)
        }
        var selection = CaptureOptions()
        #expect(try read(block, selection).flags == [2])
        selection.direction = .both
        #expect(try read(block, selection).flags == [2])
        selection.direction = .outgoing
        #expect(try read(block, selection).flags == [1])
    }

    @Test func taggedFramesAreLeftOutOnRequest() throws {
        var block = TestBlock()
        block.add(P.ipv4(P.tcp(flags: 1)))
        block.add(P.ipv4(P.tcp(flags: 2)), status: 0x11, tag: 0x6005)
        block.add(P.ipv4(P.tcp(flags: 5)), status: 0x11, tag: 0x6000)
        block.add(P.tag(P.ipv4(P.tcp(flags: 6)), type: 0x0800), status: 0x11, tag: 0x6000)
        block.add(P.tag(P.ipv4(P.tcp(flags: 3)), type: 0x0800), etherType: 0x8100)
        block.add(P.session(P.ipv4(P.tcp(flags: 4))), etherType: 0x8864)
        var selection = CaptureOptions()
        #expect(try read(block, selection).faults.count + read(block, selection).flags.count == 6)
        selection.untaggedOnly = true
        let sink = try read(block, selection)
        #expect(sink.flags == [1, 5, 4])
        #expect(sink.faults.isEmpty)
    }

    /// Linux calls what has more than eight tags a frame of no protocol, and takes it.
    @Test func tagsThatTheKernelDidNotCountArePassed() throws {
        var payload = P.tag(P.ipv4(P.tcp(flags: 1)), type: 0x0800)
        for _ in 0..<9 { payload = P.tag(payload, type: 0x8100) }
        var block = TestBlock()
        block.add(payload, etherType: 0, status: 0x11, tag: 0x4000)
        block.add(payload, etherType: 0)
        #expect(try read(block).flags == [1, 1])
    }

    /// It is known who attempts what as soon as the flags are there, and must not be told again with the rest.
    @Test func theBeginningOfAHeaderIsEnoughToSeeAnAttempt() throws {
        let header = P.tcp(flags: 2)
        var block = TestBlock()
        block.add(P.ipv4(Array(header[..<16]), fragment: 0x2000))
        block.add(P.ipv4(Array(header[16...]), fragment: 0x0002))
        var selection = CaptureOptions()
        selection.interest = .attempts
        let sink = try read(block, selection)
        #expect(sink.flags == [2])
        #expect(sink.faults == [.fragment])
    }

    @Test func packetsOfOtherInterfacesAreLeftOut() throws {
        var block = TestBlock()
        for interface in 1...4 { block.add(P.ipv4(P.tcp(flags: UInt8(interface))), interface: Int32(interface)) }
        var wanted = InterfaceIndexes()
        #expect(try read(block, wanted: wanted).flags == [])
        wanted.append(2)
        wanted.append(4)
        #expect(try read(block, wanted: wanted).flags == [2, 4])
    }

    @Test func aBlockThatBreaksGivesWhatIsBeforeTheBreak() throws {
        var block = TestBlock()
        block.add(P.ipv4(P.tcp(flags: 1)))
        let head = block.add(P.ipv4(P.tcp(flags: 2)))
        block.write(UInt32.max, at: head + 12)
        let sink = try read(block)
        #expect(sink.flags == [1])
        #expect(sink.faults == [.malformed])
    }
}
