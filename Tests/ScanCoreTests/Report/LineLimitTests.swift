import Testing

@testable import ScanCore

/// The limit on the length of the line.
struct LineLimitTests {
    private let noon = TimeOfDay(hour: 12, minute: 34, second: 56)

    private func line(_ report: ScanReport, limit: Int? = Parameters.lineLength) -> String {
        LogLine(report, time: noon, limit: limit).text
    }

    /// A line of IPv4 with these ports.
    private func expected(_ ports: [UInt16]) -> String {
        let list = ports.map { "\($0), " }.joined()
        return "10.77.0.1:40000 to 10.77.0.2 ports \(list)..., fSrpauxy, TOS 00, TTL 64 @12:34:56"
    }

    @Test(arguments: [
        // 74 bytes without the ports: 119, 120, 121 with them.
        ([10_000, 10_001, 10_002, 10_003, 10_004, 10_005, 1] as [UInt16], 119),
        ([10_000, 10_001, 10_002, 10_003, 10_004, 10_005, 22], 120),
        ([10_000, 10_001, 10_002, 10_003, 10_004, 10_005, 333], 121),
    ])
    func theLineIsKeptTo120Bytes(ports: [UInt16], length: Int) {
        let report = makeReport(ports: ports)
        let whole = expected(ports)
        #expect(line(report, limit: nil) == whole)
        #expect(whole.utf8.count == length)
        #expect(line(report) == (length <= 120 ? whole : expected(ports.dropLast())))
    }

    @Test(arguments: 0...400)
    func asManyPortsAreNamedAsFit(limit: Int) {
        let ports: [UInt16] = [
            1, 22, 333, 4444, 55_555, 6, 77, 888, 9999, 10_000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65_535,
        ]
        let wanted = (1...ports.count).map { expected([UInt16](ports.prefix($0))) }
        let best = wanted.last { $0.utf8.count <= limit } ?? wanted[0]
        #expect(line(makeReport(ports: ports), limit: limit) == best)
    }

    @Test(arguments: [-1000, -1, 0, 1, 79])
    func onePortStaysWhateverTheLimit(limit: Int) {
        #expect(line(makeReport(ports: [65_535, 1, 2]), limit: limit) == expected([65_535]))
    }

    @Test func aShorterPortBehindOneThatDoesNotFitIsNotNamed() {
        let length = expected([80]).utf8.count
        #expect(line(makeReport(ports: [80, 65_535, 1]), limit: length + 3) == expected([80]))
    }

    @Test func withoutALimitAllPortsAreNamed() {
        let ports = (0..<20).map { UInt16(60_000 + $0) }
        #expect(line(makeReport(ports: ports), limit: nil) == expected(ports))
    }

    @Test(arguments: [("1.1.1.1", 8), ("10.77.0.1", 7), ("255.255.255.255", 6)])
    func theLengthOfIPv4AddressesCounts(source: String, count: Int) {
        let ports = (0..<20).map { UInt16(1000 + $0) }
        let line = line(makeReport(ports: ports, source: address(source)))
        let list = ports.prefix(count).map { "\($0), " }.joined()
        #expect(line.contains(" ports \(list)..., "))
    }

    @Test(arguments: [
        ("::1", "::2"), ("fd77::1", "fd77::2"), ("2001:db8::1:0:0:1", "2001:db8:1:2:3:4:5:6"),
        ("2001:1db8:1111:2222:3333:4444:5555:6666", "2001:1db8:1111:2222:3333:4444:5555:7777"),
    ])
    func anIPv6AddressCountsAs15Bytes(source: String, destination: String) {
        // An IPv4 line whose addresses are 15 bytes long names the same ports at the same limit.
        let ports: [UInt16] = [
            1, 22, 333, 4444, 55_555, 6, 77, 888, 9999, 10_000, 2, 3, 4, 5, 65_535, 7, 8, 9, 10, 11,
        ]
        var new = makeReport(ports: ports, source: address(source), destination: address(destination))
        var old = makeReport(
            ports: ports, source: address("100.100.100.101"), destination: address("100.100.100.102"))
        new.changed.sourcePort = true
        old.changed.sourcePort = true
        for limit in 80...260 {
            #expect(named(line(new, limit: limit)) == named(line(old, limit: limit)))
        }
        // With the source's port, the brackets take their two bytes.
        new.changed.sourcePort = false
        old.changed.sourcePort = false
        for limit in 80...260 {
            #expect(named(line(new, limit: limit)) == named(line(old, limit: limit - 2)))
        }
    }

    /// The ports of a line, as text.
    private func named(_ line: String) -> Substring? {
        line.split(separator: " ports ").last?.split(separator: "..., ").first
    }
}
