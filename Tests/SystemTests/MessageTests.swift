import CLinux
import ScanCore
import Testing

@testable import System

/// What crosses from one process to another is trusted no more than a packet.
struct MessageTests {
    private func bytes(_ start: [UInt8]) -> InlineArray<512, UInt8> {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        for (index, byte) in start.enumerated() { bytes[index] = byte }
        return bytes
    }

    @Test func aMessageComesBackAsItWas() throws {
        let sent = Message(.line, level: LOG_ALERT, number: 0xdead_beef, text: LogLine("a line"))
        let received = try #require(Message(sent.bytes))
        #expect(received.kind == .line)
        #expect(received.level == LOG_ALERT)
        #expect(received.number == 0xdead_beef)
        #expect(received.text.text == "a line")
    }

    @Test func textThatDoesNotFitIsCutOff() throws {
        var line = LogLine()
        for _ in 0..<LogLine.capacity { line.append(byte: UInt8(ascii: "x")) }
        let received = try #require(Message(Message(.line, text: line).bytes))
        #expect(received.text.count == Message.size - 8)
    }

    @Test(arguments: [0, 10, 13, 255] as [UInt8]) func anUnknownKindIsNoMessage(kind: UInt8) {
        #expect(Message(bytes([kind])) == nil)
    }

    @Test(arguments: zip([0, 7, 8, 255] as [UInt8], [true, true, false, false]))
    func aLevelIsOneOfEight(level: UInt8, isSound: Bool) {
        #expect((Message(bytes([1, level])) != nil) == isSound)
    }

    @Test(arguments: zip([0, 503, 504, 505, 65_535] as [UInt16], [true, true, true, false, false]))
    func aLengthBeyondTheEndIsNoMessage(length: UInt16, isSound: Bool) {
        let start = bytes([1, 6, UInt8(length & 0xff), UInt8(length >> 8)])
        #expect((Message(start) != nil) == isSound)
    }

    @Test func aByteThatCannotBePrintedBecomesAQuestionMark() throws {
        let received = try #require(Message(bytes([1, 6, 5, 0, 0, 0, 0, 0, 0x0a, 0x41, 0x1b, 0x7f, 0xff])))
        #expect(received.text.text == "?A???")
    }

    /// What a detector gives for seven ports of one source.
    private func report() throws -> ScanReport {
        var detector = ScanDetector<2, 8, 4, 4>(key: HashKey([1, 2, 3, 4, 5]))
        for port in 1...7 as ClosedRange<UInt16> {
            let probe = Probe(
                source: Address(ipv4: 0x0a4d_0001), destination: Address(ipv4: 0x0a4d_0002), sourcePort: 40_000,
                destinationPort: port, transport: .tcp(.syn), typeOfService: 0x10, timeToLive: 64)
            let report = detector.observe(probe, at: Timestamp(nanoseconds: 0), realTime: 7_000_000_000)
            if let report { return report }
        }
        throw SystemError("test", "make report")
    }

    @Test func aReportComesBackAsItWas() throws {
        let report = try report()
        let received = try #require(Message(Message(report, level: LOG_ALERT).bytes))
        #expect(received.kind == .report)
        #expect(received.level == LOG_ALERT)
        let time = TimeOfDay(hour: 1, minute: 2, second: 3)
        guard case .scan(let again) = received.content else {
            Issue.record("no report came")
            return
        }
        let line = LogLine(again, time: time)
        let ports = "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., "
        #expect(line.text == ports + "fSrpauxy, TOS 10, TTL 64 @01:02:03")
    }

    /// The place of a byte in the message, and what makes its report none.
    @Test(arguments: [(2, 89), (2, 91), (3, 1), (8, 4), (14, 0), (14, 21), (97, 1)] as [(Int, UInt8)])
    func aReportThatNoDetectorMakesIsNoMessage(place: Int, value: UInt8) throws {
        var bytes = Message(try report(), level: LOG_ALERT).bytes
        bytes[place] = value
        #expect(Message(bytes) == nil)
    }

    @Test func aMessageOfAnotherKindHasNoReport() throws {
        var bytes = Message(try report(), level: LOG_ALERT).bytes
        bytes[0] = Message.Kind.heartbeat.rawValue
        guard case .fault = try #require(Message(bytes)).content else {
            Issue.record("a heartbeat brings a value")
            return
        }
        bytes[0] = Message.Kind.suppression.rawValue
        #expect(Message(bytes) == nil)
    }

    @Test func aLineAboutSuppressedReportsComesBackWithItsValue() throws {
        let limiter = ReportLimiter(of: .otherScans)
        let received = try #require(Message(Message(limiter.notice, level: LOG_ALERT).bytes))
        #expect(received.text.text == "More possible scans of other kinds follow")
        guard case .summary(let summary) = received.content else {
            Issue.record("no summary came")
            return
        }
        #expect(summary.isNotice && summary.subject == .otherScans)
    }

    @Test func countersComeBackAsTheyWere() throws {
        var status = StatusCounts()
        status.counters.probes = 7
        status.lost = .max
        guard case .status(let received) = try #require(Message(Message(status).bytes)).content else {
            Issue.record("no counters came")
            return
        }
        #expect(received == status)
    }

    @Test func anyBytesAreAMessageOrNone() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var some = InlineArray<512, UInt8>(repeating: 0)
            for index in 0..<some.count { some[index] = UInt8.random(in: 0...255, using: &random) }
            some[0] = UInt8.random(in: 0...13, using: &random)
            some[3] = UInt8.random(in: 0...2, using: &random)
            guard let message = Message(some) else { continue }
            let again = Message(message.bytes)
            #expect(again?.text.text == message.text.text)
            #expect(again?.level == message.level && again?.number == message.number)
        }
    }
}

/// Messages over the kernel's own pipes and sockets.
struct MessageChannelTests {
    @Test func messagesComeOneByOneAndThenTheEnd() throws {
        let ends = try makeSockets("test")
        let reading = MessageChannel(owning: ends[0], peer: "test")
        var received = Message(.stop)
        do {
            let writing = MessageChannel(owning: ends[1], peer: "test")
            #expect(try reading.receive(&received) == .nothing)
            #expect(try writing.send(Message(.ready)))
            #expect(try writing.send(Message(.line, text: LogLine("second"))))
        }
        #expect(try reading.receive(&received) == .message)
        #expect(received.kind == .ready)
        #expect(try reading.receive(&received) == .message)
        #expect(received.text.text == "second")
        #expect(try reading.receive(&received) == .end)
    }

    @Test func aFullPipeSaysThatThereIsNoRoomAndKeepsWhatIsInIt() throws {
        let ends = try makePipe("test")
        let reading = MessageChannel(owning: ends[0], peer: "test")
        let writing = MessageChannel(owning: ends[1], peer: "test")
        var sent = 0
        while try writing.send(Message(.line, number: UInt32(sent))) { sent += 1 }
        #expect(sent >= 8)
        var received = Message(.stop)
        for number in 0..<sent {
            #expect(try reading.receive(&received) == .message)
            #expect(received.number == UInt32(number))
        }
        #expect(try reading.receive(&received) == .nothing)
    }

    @Test func whatIsNoMessageIsAnError() throws {
        let ends = try makeSockets("test")
        let reading = MessageChannel(owning: ends[0], peer: "broken")
        let other = Descriptor(owning: ends[1])
        try write("short", to: other)
        var received = Message(.stop)
        do throws(SystemError) {
            _ = try reading.receive(&received)
            Issue.record("five bytes were taken for a message")
        } catch {
            #expect(error.line.text.hasPrefix("broken: receive: "))
        }
    }

    @Test func aMessageBringsAnOpenFile() throws {
        let ends = try makeSockets("test")
        let reading = MessageChannel(owning: ends[0], peer: "test")
        let writing = MessageChannel(owning: ends[1], peer: "test")
        let file = try temporaryFile()
        writing.send(Message(.reopen), with: file.number)
        guard case .descriptor(let received) = reading.receiveDescriptor() else {
            Issue.record("no descriptor came")
            return
        }
        #expect(received.number != file.number)
        #expect(FileWriting.isSameFile(received.number, file.number))
        writing.send(Message(.line, text: LogLine("why not")), with: -1)
        guard case .message(let message) = reading.receiveDescriptor() else {
            Issue.record("no message came")
            return
        }
        #expect(message.text.text == "why not")
    }
}
