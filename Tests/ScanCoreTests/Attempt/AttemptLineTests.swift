import Testing

@testable import ScanCore

private func date(_ year: UInt16, ahead minutes: Int16) -> String {
    var line = LogLine()
    line.append(
        CalendarTime(
            year: year, month: 1, day: 2, time: TimeOfDay(hour: 3, minute: 4, second: 5), minutesAheadOfUTC: minutes))
    return line.text
}

private func epoch(_ nanoseconds: Int64) -> String {
    var line = LogLine()
    line.append(epoch: nanoseconds)
    return line.text
}

struct AttemptLineTests {
    @Test func datesAreISO8601WithTheOffsetFromUTC() {
        #expect(date(2026, ahead: 0) == "2026-01-02T03:04:05+00:00")
        #expect(date(1996, ahead: 330) == "1996-01-02T03:04:05+05:30")
        #expect(date(2262, ahead: -570) == "2262-01-02T03:04:05-09:30")
        #expect(date(70, ahead: -1) == "0070-01-02T03:04:05-00:01")
    }

    @Test func secondsHaveSixDigitsBehindThePoint() {
        #expect(epoch(835_804_810_123_456_789) == "835804810.123456")
        #expect(epoch(1_000) == "0.000001")
        #expect(epoch(999) == "0.000000")
        #expect(epoch(-1) == "0.000000")
        #expect(epoch(.max) == "9223372036.854775")
        #expect(epoch(-999) == "0.000000")
        #expect(epoch(-1_000) == "-0.000001")
        #expect(epoch(-100_500_000_000) == "-100.500000")
        #expect(epoch(.min) == "-9223372036.854775")
    }

    @Test func aLineHasTheFieldsInTheirOrder() {
        let attempt = Attempt(
            source: address("2001:db8::7"), destination: address("192.0.2.10"), sourcePort: 65_535, destinationPort: 0,
            realTime: 0)
        #expect(LogLine(attempt, date: LogLine("DATE")).text == "DATE|2001:db8::7|65535|192.0.2.10|0")
    }

    /// Whatever arrives: five fields, none empty, of nothing but letters, digits and what addresses and dates are made of.
    @Test func anyBytesGiveFiveFieldsOrNone() throws {
        let seed = Seed.value
        var random = SplitMix(seed: seed)
        var lines = 0
        for round in 0..<20_000 {
            var packet = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if !packet.isEmpty && round % 4 != 0 { packet[0] = round % 2 == 0 ? 0x45 : 0x60 }
            if packet.count > 9 && round % 8 > 3 {
                packet[round % 2 == 0 ? 9 : 6] = round % 3 == 0 ? 17 : 6
                packet[7] &= round % 2 == 0 ? 0 : 0xff
                packet[6] &= round % 2 == 0 ? 0x20 : 0xff
            }
            let time = Int64(bitPattern: random.next())
            guard let attempt = try? Attempt(packet: packet.span, realTime: time) else { continue }
            var date = LogLine()
            date.append(epoch: time)
            let line = LogLine(attempt, date: date).text
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            lines += 1
            #expect(fields.count == 5, "seed \(seed): \(line)")
            #expect(fields.allSatisfy { !$0.isEmpty }, "seed \(seed): \(line)")
            #expect(
                line.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && line.utf8.count < 120, "seed \(seed): \(line)")
            #expect(UInt16(fields[2]) == attempt.sourcePort && UInt16(fields[4]) == attempt.destinationPort)
        }
        #expect(lines > 1000, "seed \(seed): too few packets of TCP or UDP to tell anything")
    }
}
