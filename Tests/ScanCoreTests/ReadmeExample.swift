import ScanCore

struct ScanWatcher: ~Copyable {
    var detector = ScanDetector<64, 256, 512, 4>(key: HashKey([4, 8, 15, 16, 23]))  // better: five random words

    /// The line that a packet causes, if it is the one that makes its source a scanner.
    mutating func take(_ packet: Span<UInt8>, at nanoseconds: Int64, realTime: Int64) -> String? {
        guard let probe = try? Probe(packet: packet) else { return nil }  // not TCP, or cut off
        let now = Timestamp(nanoseconds: nanoseconds)
        guard let report = detector.observe(probe, at: now, realTime: realTime) else { return nil }
        let line = LogLine(report, time: TimeOfDay(hour: 12, minute: 34, second: 56))
        return String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
    }
}
