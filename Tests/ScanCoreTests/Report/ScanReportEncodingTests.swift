import Testing

@testable import ScanCore

/// A report crosses from a process that may have been taken over: what is none of a detector's is refused.
struct ScanReportEncodingTests {
    private static func bytes(_ report: ScanReport) -> [UInt8] {
        let encoded = report.encoded
        return encoded.indices.map { encoded[$0] }
    }

    private static func decoded(_ bytes: [UInt8]) throws -> ScanReport {
        try ScanReport(encoded: bytes.span)
    }

    private static var full: ScanReport {
        var report = makeReport(
            ports: Array(1000..<1000 + UInt16(PortList.capacity)), source: address("2001:db8::7"),
            destination: address("fd77::2"), sourcePort: 65_535)
        report.flagsEverSet = TCPFlags(rawValue: 0x2b)
        report.flagsAlwaysSet = TCPFlags(rawValue: 0x02)
        report.typeOfService = 0xb8
        report.timeToLive = 255
        report.startTime = 1_795_252_970_123_456_789
        report.endTime = 1_795_252_971_023_456_788
        report.changed.sourcePort = true
        report.changed.timeToLive = true
        return report
    }

    private static let time = TimeOfDay(hour: 1, minute: 2, second: 3)

    @Test func aReportComesBackAsItWas() throws {
        for report in [Self.full, makeReport(ports: [22]), makeReport(ports: [0, 1, 65_535])] {
            let again = try Self.decoded(Self.bytes(report))
            #expect(LogLine(again, time: Self.time).text == LogLine(report, time: Self.time).text)
            #expect(again.startTime == report.startTime && again.endTime == report.endTime)
            #expect(again.changed == report.changed)
            #expect(Self.bytes(again) == Self.bytes(report))
        }
    }

    @Test func theLastPacketIsNeverBeforeTheFirst() throws {
        for (start, end, expected) in [
            (100, 100, 100), (100, 99, 100), (-5, 5, 5), (.seconds(7) + 999_999_999, .seconds(8), .seconds(8)),
            (0, .seconds(4_294_967_295) + 999_999_999, .seconds(4_294_967_295) + 999_999_999), (.max, .max, .max),
        ] as [(Int64, Int64, Int64)] {
            var report = makeReport(ports: [22])
            report.startTime = start
            report.endTime = end
            #expect(report.endTime == expected)
            #expect(try Self.decoded(Self.bytes(report)).endTime == expected)
        }
        var report = makeReport(ports: [22])
        report.startTime = .min
        report.endTime = .max
        #expect(report.endTime == .min + .seconds(4_294_967_295) + 709_551_615)  // of 584 years, what 32 bits can say
    }

    @Test func eachChangedFieldHasItsOwnBit() throws {
        for bits in 0..<16 as Range<UInt8> {
            var report = makeReport(ports: [1, 2])
            report.changed.destination = bits & 1 != 0
            report.changed.sourcePort = bits & 2 != 0
            report.changed.typeOfService = bits & 4 != 0
            report.changed.timeToLive = bits & 8 != 0
            #expect(Self.bytes(report)[1] == bits)
            #expect(try Self.decoded(Self.bytes(report)).changed == report.changed)
        }
    }

    @Test func anotherLengthIsNone() {
        let bytes = Self.bytes(Self.full)
        for length in 0..<bytes.count {
            #expect(throws: PacketFault.truncated) { try Self.decoded(Array(bytes.prefix(length))) }
        }
        #expect(throws: PacketFault.malformed) { try Self.decoded(bytes + [0]) }
    }

    /// The place of a byte in the report of a SYN scan of one port over IPv4, and what it must not be.
    @Test(
        arguments: [
            (0, 4), (0, 255), (1, 16), (1, 255), (2, 0), (3, 3), (3, 255), (6, 0), (6, 21), (6, 255), (8, 1),
            (15, 1), (16, 1), (19, 1), (24, 1), (35, 1), (52, 1), (89, 1),
            (7, 3), (7, 9), (7, 0x80), (94, 1), (95, 1), (96, 0x3c), (96, 255),
        ] as [(Int, UInt8)])
    func aFieldThatNoDetectorMakesIsRefused(place: Int, value: UInt8) {
        var bytes = Self.bytes(makeReport(ports: [22]))
        bytes[place] = value
        #expect(throws: PacketFault.malformed) { try Self.decoded(bytes) }
    }

    @Test func aSourceThatIsUnspecifiedIsRefused() {
        var bytes = Self.bytes(makeReport(ports: [22]))
        for place in 8..<24 { bytes[place] = 0 }
        #expect(throws: PacketFault.malformed) { try Self.decoded(bytes) }
    }

    @Test func aPortThatIsListedTwiceIsRefused() {
        var bytes = Self.bytes(makeReport(ports: [22, 23]))
        bytes[53] = 22
        #expect(throws: PacketFault.malformed) { try Self.decoded(bytes) }
    }

    @Test func flagsThatWereNotSeenAreAReport() throws {
        var report = makeReport(ports: [22])
        (report.flagsEverSet, report.flagsAlwaysSet) = (.none, .all)
        #expect(try Self.decoded(Self.bytes(report)).flagsAlwaysSet == .all)
    }

    @Test func anyBytesAreTheOnesOfAReportOrNone() {
        var random = SystemRandomNumberGenerator()
        var found = 0
        for _ in 0..<20_000 {
            var bytes = Self.bytes(Bool.random(using: &random) ? Self.full : makeReport(ports: [22, 80]))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let report = try? Self.decoded(bytes) else { continue }
            found += 1
            #expect(Self.bytes(report) == bytes)
        }
        #expect(found > 0)
    }
}
