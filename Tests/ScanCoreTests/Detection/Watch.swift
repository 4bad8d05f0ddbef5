import Testing

@testable import ScanCore

/// A detector of a size that is quickly looked through: 512 sources seen once, 256 followed.
typealias SmallDetector = ScanDetector<64, 256, 512, 4>

/// A small detector, fed by tests, and asked after every packet whether its table is whole.
///
/// A class, as `#expect` can't hold what is not copyable.
final class Watch {
    private var detector = SmallDetector(key: HashKey.forTests)

    /// The real time at time 0: 12:34:56 UTC.
    static let realTime: Int64 = .seconds(45_296)

    /// Observes a segment and returns the line, if this one makes a scan.
    func observe(_ segment: Probe, at time: Int64 = 0) -> String? {
        let now = Timestamp(nanoseconds: time)
        let report = detector.observe(segment, at: now, realTime: Watch.realTime &+ time)
        if let fault = detector.fault { Issue.record("\(fault)") }
        return report.map { LogLine(Self.sent($0), time: TimeOfDay(utc: $0.startTime)).text }
    }

    /// A report as the process that logs has it.
    private static func sent(_ report: ScanReport) -> ScanReport {
        do throws(PacketFault) {
            return try ScanReport(encoded: report.encoded.span)
        } catch {
            Issue.record("\(report) is refused")
            return report
        }
    }

    /// Observes a segment to a port.
    func send(
        _ port: UInt16, _ flags: TCPFlags = .syn, from source: Address = address("10.77.0.1"),
        at time: Int64 = 0
    ) -> String? {
        observe(segment(to: port, flags, from: source), at: time)
    }

    /// Observes a segment to each of some ports, and returns the lines.
    func send(
        each ports: some Sequence<UInt16>, _ flags: TCPFlags = .syn,
        from source: Address = address("10.77.0.1"), at time: Int64 = 0
    ) -> [String] {
        ports.compactMap { send($0, flags, from: source, at: time) }
    }

    func count(_ fault: PacketFault) { detector.count(fault) }

    var counters: DetectorCounters { detector.counters }
    var sourcesHeld: Int { detector.sourcesHeld }
    var sourcesFollowed: Int { detector.sourcesFollowed }
    var sourcesEvicted: UInt64 { detector.sourcesEvicted }
    var probationLost: UInt64 { detector.probationLost }
}

extension HashKey {
    /// A key that spreads addresses, the same in every run.
    static var forTests: HashKey {
        var random = SplitMix(seed: 20)
        return HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
    }
}

// Made once: some tests send millions of packets.
private let usualSource = address("10.77.0.1")
private let usualDestination = address("10.77.0.2")

/// A probe of which a test names what it is about.
func segment(
    to port: UInt16 = 80, _ flags: TCPFlags = .syn, from source: Address = usualSource,
    destination: Address = usualDestination, sourcePort: UInt16 = 40_000,
    typeOfService: UInt8 = 0, timeToLive: UInt8 = 64
) -> Probe {
    Probe(
        source: source, destination: destination, sourcePort: sourcePort, destinationPort: port,
        transport: .tcp(flags), typeOfService: typeOfService, timeToLive: timeToLive)
}

/// A report of a SYN scan of these ports.
func makeReport(
    ports: [UInt16], source: Address = address("10.77.0.1"), destination: Address = address("10.77.0.2"),
    sourcePort: UInt16 = 40_000
) -> ScanReport {
    let first = segment(to: ports[0], from: source, destination: destination, sourcePort: sourcePort)
    var report = ScanReport(first: first, startTime: 0)
    for port in ports.dropFirst() { report.ports.append(port) }
    return report
}

extension TimeOfDay {
    /// The time of day in UTC, so many nanoseconds after 1970 began.
    init(utc realTime: Int64) {
        let second = (realTime / 1_000_000_000 % 86_400 + 86_400) % 86_400
        self.init(hour: UInt8(second / 3600), minute: UInt8(second / 60 % 60), second: UInt8(second % 60))
    }
}

extension LogLine {
    /// The line as a string.
    var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

extension Int64 {
    /// So many seconds, in nanoseconds.
    static func seconds(_ seconds: Int64) -> Int64 { seconds * 1_000_000_000 }

    /// So many milliseconds, in nanoseconds.
    static func milliseconds(_ milliseconds: Int64) -> Int64 { milliseconds * 1_000_000 }
}
