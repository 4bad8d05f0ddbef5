import Testing

@testable import ScanCore

/// What a line about suppressed reports says is the same as a value, and crosses from the sensor as it is.
struct SuppressionSummaryTests {
    private var limiter = ReportLimiter(of: .portScans)

    private mutating func scan(_ count: UInt32, from first: Address) {
        for number in 0..<count {
            let source =
                first.isIPv4
                ? Address(ipv4: UInt32(first.low) + number)
                : Address(ipv6High: first.high, low: first.low + UInt64(number))
            var finding = ScanFinding(makeReport(ports: [1], source: source))
            _ = limiter.admit(&finding, at: Timestamp(nanoseconds: 0))
        }
    }

    private mutating func summary() -> [SuppressionLine] {
        var lines: [SuppressionLine] = []
        while let line = limiter.nextSummaryLine(at: Timestamp(nanoseconds: .seconds(21))) { lines.append(line) }
        return lines
    }

    private func sources(_ line: SuppressionLine) -> [Address] {
        (0..<line.summary.sources.count).map { line.summary.sources[$0] }
    }

    @Test(arguments: ["10.77.2.1", "1.1.1.1", "fd77::1", "2001:db8:1111:2222:3333:4444:5555:6666"], [6, 30, 140])
    mutating func aLineNamesTheSourcesOfItsValue(first: String, count: UInt32) {
        scan(count, from: address(first))
        let lines = summary()
        var named = 0
        for line in lines {
            let text = line.text.text
            for source in sources(line) {
                var name = LogLine()
                name.append(source)
                #expect(text.contains(" " + name.text))
            }
            let words = text.split(whereSeparator: { " ,".contains($0) })
            #expect(words.count { $0.contains(".") || $0.contains("::") || $0.count > 30 } == sources(line).count)
            #expect(text.contains(" and \(line.summary.unlisted) more") == (line.summary.unlisted > 0))
            named += sources(line).count
        }
        #expect(lines.first?.summary.scans == UInt64(count - 5))
        #expect(lines.dropFirst().allSatisfy { $0.summary.scans == 0 })
        #expect(named + Int(lines.last?.summary.unlisted ?? 0) == min(Int(count) - 5, 128))
    }

    @Test mutating func aSummaryComesBackAsItWas() throws {
        scan(30, from: address("fd77::1"))
        for line in summary() + [limiter.notice] {
            let encoded = line.summary.encoded
            let again = try SuppressionSummary(encoded: encoded.span)
            let bytes = again.encoded
            #expect(encoded.indices.allSatisfy { encoded[$0] == bytes[$0] })
            #expect(again.isNotice == line.summary.isNotice && again.scans == line.summary.scans)
        }
    }

    /// The place of a byte, and what makes it none.
    @Test(arguments: [(0, 4), (1, 13), (2, 0x10), (3, 1), (16, 1), (207, 1)] as [(Int, UInt8)])
    func whatNoLimiterMakesIsNoSummary(place: Int, value: UInt8) {
        var bytes = SuppressionSummary(of: .portScans).encoded
        bytes[place] = value
        #expect(throws: PacketFault.malformed) { try SuppressionSummary(encoded: bytes.span) }
    }

    @Test func aNoticeNamesNobody() {
        var summary = SuppressionSummary(of: .portScans)
        summary.isNotice = true
        summary.scans = 1
        let bytes = summary.encoded
        #expect(throws: PacketFault.malformed) { try SuppressionSummary(encoded: bytes.span) }
        #expect(throws: PacketFault.truncated) { try SuppressionSummary(encoded: bytes.span.extracting(0..<207)) }
    }
}
