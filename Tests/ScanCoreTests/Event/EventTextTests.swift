import Foundation
import Testing

@testable import ScanCore

/// What an event says to machines: JSON that any reader takes, whatever the event.
struct EventTextTests {
    private var stamps = EventStamps(run: 0x00c0_ffee)
    private static let time: Int64 = 1_795_252_971_123_456_789

    private mutating func event(_ content: EventContent) -> Event { Event(stamps.next(at: Self.time), content) }

    private mutating func text(_ content: EventContent, line: LogLine = LogLine("a line")) -> String {
        EventText(event(content), line: line).string
    }

    /// What Foundation reads in a text.
    private func read(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private static let head = #"{"v":1,"kind":"scan","run":"00c0ffee","seq":1,"time":1795252971.123456,"#

    private static var quick: ScanReport {
        var report = makeReport(ports: [22, 80, 443])
        report.startTime = 1_795_252_970_123_456_789
        report.endTime = 1_795_252_970_998_877_665
        report.typeOfService = 16
        return report
    }

    @Test mutating func aScanHasAllThatIsKnownOfIt() {
        let fields = #""src":"10.77.0.1","sport":40000,"dst":"10.77.0.2","dsts":false,"ports":[22,80,443],"nports":4,"#
        let rest = #""flags":"fSrpauxy","tos":16,"ttl":64,"first":1795252970.123456,"last":1795252970.998877}"#
        #expect(text(.scan(Self.quick)) == Self.head + fields + rest)
    }

    @Test mutating func whatChangedIsNotKnown() {
        var report = Self.quick
        report.changed.destination = true
        report.changed.sourcePort = true
        report.changed.typeOfService = true
        report.changed.timeToLive = true
        report.flagsEverSet = .none
        report.flagsAlwaysSet = .all  // of fragments
        let fields = #""src":"10.77.0.1","dst":"10.77.0.2","dsts":true,"ports":[22,80,443],"nports":4,"#
        #expect(text(.scan(report)) == Self.head + fields + #""first":1795252970.123456,"last":1795252970.998877}"#)
    }

    @Test mutating func aSweepHasItsHostsAndOnePort() throws {
        var report = ScanReport(.sweep, source: address("10.77.0.1"), destination: address("10.77.0.2"))
        report.ports.append(3389)
        report.hosts = 17
        report.startTime = .seconds(100)
        report.endTime = .seconds(105) + 250_000_000
        let fields = try read(text(.scan(report)))
        #expect(fields["kind"] as? String == "sweep")
        #expect(fields["ports"] as? [Int] == [3389] && fields["nports"] as? Int == 1 && fields["hosts"] as? Int == 17)
        #expect(fields["first"] as? Double == 100 && fields["last"] as? Double == 105.25)
    }

    @Test mutating func aPrefixIsOne() throws {
        var report = ScanReport(.spread, source: address("2001:db8::"), destination: address("fd77::2"))
        report.ports.append(22)
        report.sourceIsPrefix = true
        let fields = try read(text(.scan(report)))
        #expect(fields["src"] as? String == "2001:db8::/64")
        #expect(fields["sport"] == nil && fields["flags"] == nil && fields["ttl"] == nil)
    }

    @Test mutating func anEndSaysWhatItIsTheEndOf() throws {
        var end = ScanEnd(of: Self.quick)
        end.ports.number = 1000
        end.hosts.number = 1
        end.packets.number = 1001
        #expect(
            text(.end(end)).hasSuffix(
                #""of":"scan","src":"10.77.0.1","dst":"10.77.0.2","dsts":false,"nports":1000,"first":1795252970.123456,"#
                    + #""last":1795252970.998877,"packets":1001,"hosts":1}"#))
        end.hosts.isLeast = true
        end.isGoingOn = true
        let fields = try read(text(.end(end)))
        #expect(fields["least"] as? Bool == true && fields["ongoing"] as? Bool == true)
        #expect(fields["dsts"] as? Bool == true)
    }

    @Test mutating func countersHaveNames() throws {
        var status = StatusCounts()
        status.counters.packets = .max
        status.lost = 3
        let fields = try read(text(.status(status)))
        #expect(fields["packets"] as? UInt64 == .max && fields["lost"] as? Int == 3 && fields["dropped"] as? Int == 0)
        #expect(fields["exempt"] == nil && fields["slow_memory"] == nil)
        status.hasExempt = true
        status.hasOthers = true
        let more = try read(text(.status(status)))
        #expect(more["exempt"] as? Int == 0 && more["slow_memory"] as? Int == 0 && more["slow_evicted"] as? Int == 0)
    }

    @Test mutating func anAttemptHasNamesIfThereAreAny() {
        let attempt = Attempt(
            source: address("10.77.0.1"), destination: address("fd77::2"), sourcePort: 40_000, destinationPort: 22,
            realTime: 1)
        let name = HostName("a-host.example".utf8Span.span)
        #expect(
            text(.attempt(AttemptNames(attempt, source: name, destination: nil))).hasSuffix(
                #""src":"10.77.0.1","src_name":"a-host.example","sport":40000,"dst":"fd77::2","ports":[22]}"#))
    }

    @Test mutating func numbersHaveNoGapsButForLosses() {
        let (first, second) = (stamps.next(at: 0).sequence, stamps.next(at: 0).sequence)
        stamps.skip(40)
        #expect((first, second, stamps.next(at: 0).sequence) == (1, 2, 43))
    }

    /// Every text of one field, with the bytes that stand for it in UTF-8.
    @Test(arguments: [
        ("quote \" and \\", #"quote \" and \\"#), ("\n\t\u{1b}\u{7f}", #"\u000a\u0009\u001b\u007f"#), ("é€𝄞", "é€𝄞"),
    ])
    mutating func textIsEscaped(line: String, written: String) throws {
        let text = text(.fault, line: LogLine(line))
        #expect(text.hasSuffix(#""message":""# + written + #""}"#))
        #expect(try read(text)["message"] as? String == line)
    }

    @Test(
        arguments: [
            [0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xf0, 0x8f, 0xbf, 0xbf],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xe2, 0x82], [0xf0, 0x9d, 0x84], [0xc3],
        ] as [[UInt8]])
    mutating func bytesThatAreNoTextAreReplaced(bytes: [UInt8]) throws {
        var line = LogLine("a")
        for byte in bytes { line.append(byte: byte) }
        let end = EventText(event(.fault), line: line)
        #expect(String(validating: end.array, as: UTF8.self) != nil)
        let message = try #require(try read(end.string)["message"] as? String)
        #expect(message.hasPrefix("a\u{fffd}") && Set(message.dropFirst()) == ["\u{fffd}"])
    }

    @Test mutating func anyBytesGiveAnObjectThatFits() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var line = LogLine()
            let ranges: [ClosedRange<UInt8>] = [0...255, 0...31, 0x80...0xf4, 0x20...0x7e]
            let range = ranges[Int.random(in: 0..<4, using: &random)]
            for _ in 0..<Int.random(in: 0...LogLine.capacity, using: &random) {
                line.append(byte: .random(in: range, using: &random))
            }
            var text = EventText(event(.fault), line: line, behind: "@cee: ")
            let whole = text.string.dropFirst(6)
            #expect(text.count < EventText.capacity)
            #expect(try read(String(whole))["kind"] as? String == "fault", "\(line.text)")
            text.endLine()
            #expect(text.array.last == UInt8(ascii: "\n"))
        }
    }

    /// Each kind of event at its longest fits, with room for the line feed.
    @Test mutating func theLongestOfEachKindFits() throws {
        let longest = Address(ipv6High: .max, low: .max)
        stamps = EventStamps(run: .max)
        stamps.skip(.max)
        var report = makeReport(
            ports: (0..<20).map { 65_535 - $0 }, source: longest, destination: longest, sourcePort: 65_535)
        report.kind = .slow
        report.startTime = .min
        report.endTime = .max
        var end = ScanEnd(of: report)
        end.ports = ScanEnd.Count(number: 65_536, isLeast: true)
        end.hosts = ScanEnd.Count(number: .max, isLeast: true)
        end.packets = end.hosts
        end.isGoingOn = true
        var summary = SuppressionSummary(of: .otherScans)
        summary.scans = .max
        summary.unlisted = .max
        for _ in 0..<SuppressionSummary.SourceList.capacity { summary.sources.append(longest) }
        let name = HostName(String(repeating: "n", count: HostName.longest).utf8Span.span)
        let attempt = Attempt(
            source: longest, destination: longest, sourcePort: 65_535, destinationPort: 65_535, realTime: .min)
        let contents: [EventContent] = [
            .scan(report), .end(end), .summary(summary), .status(Self.fullStatus),
            .attempt(AttemptNames(attempt, source: name, destination: name)),
        ]
        for content in contents {
            let event = Event(stamps.next(at: .min), content)
            let text = EventText(event, line: LogLine(), behind: "@cee: ")
            #expect(text.count < EventText.capacity, "\(content.kind): \(text.count) bytes")
            _ = try read(String(text.string.dropFirst(6)))
            let journal = JournalText(event, line: LogLine(), level: 7, ident: LogLine("scanlogd"))
            #expect(journal.count < JournalText.capacity - LogLine.capacity)
        }
    }

    private static var fullStatus: StatusCounts {
        var status = StatusCounts()
        status.counters.packets = .max
        status.counters.probes = .max
        status.counters.ignored = .max
        status.counters.malformed = .max
        status.counters.droppedByKernel = .max
        status.counters.fragmentsKept = .max
        status.counters.fragmentsEvicted = .max
        status.counters.reports = .max
        status.counters.exempt = .max
        status.counters.suppressed = .max
        status.sourcesHeld = .max
        status.sourcesEvicted = .max
        status.hasExempt = true
        status.hasOthers = true
        status.slowMemory = .max
        status.slowEvicted = .max
        status.lost = .max
        return status
    }

    @Test func countersComeBackAsTheyWere() throws {
        let status = Self.fullStatus
        let encoded = status.encoded
        #expect(try StatusCounts(encoded: encoded.span) == status)
        var (wrong, none) = (encoded, StatusCounts().encoded)
        wrong[0] = 4
        #expect(throws: PacketFault.malformed) { try StatusCounts(encoded: wrong.span) }
        none[127] = 1
        #expect(try StatusCounts(encoded: none.span).lost == 1)
        none[8 + 8 * 8 + 7] = 1  // exempt, which there can't be
        #expect(throws: PacketFault.malformed) { try StatusCounts(encoded: none.span) }
        #expect(throws: PacketFault.truncated) { try StatusCounts(encoded: encoded.span.extracting(0..<127)) }
    }

    @Test mutating func theJournalHasTheLineToTheByteAndEachFieldByItsName() {
        var line = LogLine("a line\n")
        line.append(byte: 0xff)
        let text = JournalText(event(.scan(Self.quick)), line: line, level: 1, ident: LogLine("scanlogd"))
        let bytes = (0..<text.count).map { text.bytes[$0] }
        let message = Array("MESSAGE\n".utf8) + [8, 0, 0, 0, 0, 0, 0, 0] + Array("a line\n".utf8) + [0xff, 10]
        #expect(Array(bytes.prefix(message.count)) == message)
        let fields = String(decoding: bytes.dropFirst(message.count), as: UTF8.self).split(separator: "\n")
        #expect(
            fields == [
                "PRIORITY=1", "SYSLOG_FACILITY=3", "SYSLOG_IDENTIFIER=scanlogd", "SCANLOGD_V=1", "SCANLOGD_KIND=scan",
                "SCANLOGD_RUN=00c0ffee", "SCANLOGD_SEQ=1", "SCANLOGD_TIME=1795252971.123456", "SCANLOGD_SRC=10.77.0.1",
                "SCANLOGD_SPORT=40000", "SCANLOGD_DST=10.77.0.2", "SCANLOGD_DSTS=false", "SCANLOGD_PORTS=22",
                "SCANLOGD_PORTS=80", "SCANLOGD_PORTS=443", "SCANLOGD_NPORTS=4", "SCANLOGD_FLAGS=fSrpauxy",
                "SCANLOGD_TOS=16", "SCANLOGD_TTL=64", "SCANLOGD_FIRST=1795252970.123456",
                "SCANLOGD_LAST=1795252970.998877",
            ])
        let start = JournalText(event(.start), line: LogLine("x"), level: 6, ident: LogLine("scanlogd"))
        let names = String(decoding: (0..<start.count).map { start.bytes[$0] }, as: UTF8.self)
        #expect(!names.contains("SCANLOGD_MESSAGE"))
    }
}

extension EventText {
    fileprivate var array: [UInt8] { (0..<count).map { bytes[$0] } }
    fileprivate var string: String { String(decoding: array, as: UTF8.self) }
}
