import Testing

@testable import ScanCore

/// The line about a scan, whole.
struct ScanReportLineTests {
    private let noon = TimeOfDay(hour: 12, minute: 34, second: 56)

    private func line(_ report: ScanReport, limit: Int? = Parameters.lineLength) -> String {
        LogLine(report, time: noon, limit: limit).text
    }

    @Test func aLineOfTheReferenceIsMatchedToTheByte() {
        var report = makeReport(ports: [1025, 1723, 8888, 143, 23, 995, 113, 1720, 993], sourcePort: 55_390)
        report.changed.timeToLive = true
        let expected = """
            10.77.0.1:55390 to 10.77.0.2 ports 1025, 1723, 8888, 143, 23, 995, 113, 1720, 993, ..., \
            fSrpauxy, TOS 00 @09:10:22
            """
        let time = TimeOfDay(hour: 9, minute: 10, second: 22)
        #expect(LogLine(report, time: time).text == expected)
    }

    @Test(arguments: 0..<16)
    func everyPartThatChangedIsLeftOut(mask: Int) {
        var report = makeReport(ports: [80, 443])
        report.changed.sourcePort = mask & 1 != 0
        report.changed.destination = mask & 2 != 0
        report.changed.typeOfService = mask & 4 != 0
        report.changed.timeToLive = mask & 8 != 0
        let expected =
            "10.77.0.1" + (mask & 1 != 0 ? "" : ":40000") + " to 10.77.0.2"
            + (mask & 2 != 0 ? " and others," : "") + " ports 80, 443, ..., fSrpauxy"
            + (mask & 4 != 0 ? "" : ", TOS 00") + (mask & 8 != 0 ? "" : ", TTL 64") + " @12:34:56"
        #expect(line(report) == expected)
    }

    @Test(arguments: 0..<8)
    func everyFlagHasThreeStates(index: Int) {
        let letter = ["f", "s", "r", "p", "a", "u", "x", "y"][index]
        let flag = TCPFlags(rawValue: 1 << UInt8(index))
        let start = "10.77.0.1:40000 to 10.77.0.2 ports 80, ..., "
        for (ever, always, shown) in [
            (flag, flag, letter.uppercased()), (.none, .none, letter), (flag, .none, "?"),
        ] as [(TCPFlags, TCPFlags, String)] {
            var report = makeReport(ports: [80])
            report.flagsEverSet = ever
            report.flagsAlwaysSet = always
            let letters = "fsrpauxy".replacing(letter, with: shown)
            #expect(line(report) == start + letters + ", TOS 00, TTL 64 @12:34:56")
        }
    }

    @Test func allFlagsAtOnceHaveThreeStates() {
        var report = makeReport(ports: [80])
        let start = "10.77.0.1:40000 to 10.77.0.2 ports 80, ..., "
        report.flagsEverSet = TCPFlags(rawValue: 0xff)
        report.flagsAlwaysSet = TCPFlags(rawValue: 0xff)
        #expect(line(report) == start + "FSRPAUXY, TOS 00, TTL 64 @12:34:56")
        report.flagsAlwaysSet = .none
        #expect(line(report) == start + "????????, TOS 00, TTL 64 @12:34:56")
        report.flagsEverSet = .none
        #expect(line(report) == start + "fsrpauxy, TOS 00, TTL 64 @12:34:56")
    }

    @Test(arguments: [
        (UInt8(0), "00"), (1, "01"), (9, "09"), (10, "0a"), (16, "10"), (0xb8, "b8"), (255, "ff"),
    ])
    func theServiceIsTwoLowerCaseHexadecimalDigits(value: UInt8, digits: String) {
        var report = makeReport(ports: [80])
        report.typeOfService = value
        let start = "10.77.0.1:40000 to 10.77.0.2 ports 80, ..., fSrpauxy, TOS "
        #expect(line(report) == start + digits + ", TTL 64 @12:34:56")
    }

    @Test(arguments: [(UInt8(0), "0"), (1, "1"), (64, "64"), (99, "99"), (100, "100"), (255, "255")])
    func theLifetimeIsDecimal(value: UInt8, digits: String) {
        var report = makeReport(ports: [80])
        report.timeToLive = value
        let start = "10.77.0.1:40000 to 10.77.0.2 ports 80, ..., fSrpauxy, TOS 00, TTL "
        #expect(line(report) == start + digits + " @12:34:56")
    }

    @Test(arguments: [(0, 0, 0, "00:00:00"), (9, 8, 7, "09:08:07"), (23, 59, 60, "23:59:60")])
    func theTimeHasTwoDigitsEach(hour: UInt8, minute: UInt8, second: UInt8, text: String) {
        let time = TimeOfDay(hour: hour, minute: minute, second: second)
        let expected = "10.77.0.1:40000 to 10.77.0.2 ports 80, ..., fSrpauxy, TOS 00, TTL 64 @" + text
        #expect(LogLine(makeReport(ports: [80]), time: time).text == expected)
    }

    @Test(arguments: [UInt16(0), 9, 10, 1023, 65_535])
    func portsAreDecimal(port: UInt16) {
        let report = makeReport(ports: [port], sourcePort: port)
        let expected = "10.77.0.1:\(port) to 10.77.0.2 ports \(port), ..., fSrpauxy, TOS 00, TTL 64 @12:34:56"
        #expect(line(report) == expected)
    }

    @Test func anIPv6SourceWithItsPortStandsInBrackets() {
        let report = makeReport(
            ports: [22, 80], source: address("2001:db8::1"), destination: address("2001:db8::2"))
        let expected = """
            [2001:db8::1]:40000 to 2001:db8::2 ports 22, 80, ..., fSrpauxy, TOS 00, TTL 64 @12:34:56
            """
        #expect(line(report) == expected)
    }

    @Test func anIPv6SourceWithoutItsPortStandsAlone() {
        var report = makeReport(
            ports: [22, 80], source: address("2001:db8::1"), destination: address("2001:db8::2"))
        report.changed.sourcePort = true
        report.changed.destination = true
        let expected = """
            2001:db8::1 to 2001:db8::2 and others, ports 22, 80, ..., fSrpauxy, TOS 00, TTL 64 @12:34:56
            """
        #expect(line(report) == expected)
    }

    @Test func theLongestLineFitsALogLine() {
        let ports = (0..<20).map { UInt16(65_516 + $0) }
        let widest = address("2001:1db8:1111:2222:3333:4444:5555:6666")
        var report = makeReport(ports: ports, source: widest, destination: widest, sourcePort: 65_535)
        report.changed.destination = true
        report.timeToLive = 255
        let line = line(report, limit: nil)
        #expect(line.utf8.count == 289)
        #expect(line.hasSuffix(" 65535, ..., fSrpauxy, TOS 00, TTL 255 @12:34:56"))
    }
}
