import Testing

@testable import ScanCore

/// Random sequences of events of all classes, against the model.
struct KindModelTests {
    @Test(arguments: 0..<300)
    func randomEventsAreJudgedAsByTheModel(sequence: Int) {
        var traffic = KindTraffic(seed: Seed.value &+ UInt64(sequence))
        var detector = ScanDetector<64, 256, 512, 64>(key: traffic.key)
        var settings = KindSettings(traffic.kinds)
        if !traffic.local.isEmpty {
            let areAdded =
                settings.local.append(KindTraffic.host(0, isIPv4: true), prefixLength: 26)
                && settings.local.append(KindTraffic.host(1, isIPv4: false), prefixLength: 128)
            #expect(areAdded)
        }
        settings.firstClientPort = 32_768
        detector.detect(settings)
        var model = KindModel(traffic.kinds, local: traffic.local)
        for step in 0..<600 {
            let event = traffic.next()
            let expected = event.apply(to: &model)
            let found = event.apply(to: &detector)
            let fault = detector.fault
            guard found == expected, fault == nil else {
                Issue.record(
                    """
                    SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step): \(event)
                    report: \(found?.description ?? "none"), model: \(expected?.description ?? "none"), \
                    table: \(fault ?? "whole")
                    candidate: \(event.source.map { detector.pairs(of: $0) } ?? "")
                    model: \(event.source.map { model.pairs(of: $0) } ?? "")
                    """)
                return
            }
        }
    }

    @Test func theRandomEventsReachEveryKind() {
        var kinds: [ScanKind: Int] = [:]
        for sequence in UInt64(0)..<300 {
            var traffic = KindTraffic(seed: sequence)
            var model = KindModel(traffic.kinds, local: traffic.local)
            for _ in 0..<600 {
                if let report = traffic.next().apply(to: &model) { kinds[report.kind, default: 0] += 1 }
            }
        }
        for kind in [ScanKind.slow, .spread, .sweep, .ping, .udp, .ack, .protocols, .sctp] {
            #expect(kinds[kind, default: 0] >= 5, "\(kind): \(kinds)")
        }
    }

    @Test(arguments: 0..<100)
    func theQuickRuleDoesNotDependOnTheOthers(sequence: Int) {
        var traffic = KindTraffic(seed: Seed.value &+ 5000 &+ UInt64(sequence))
        var alone = SmallDetector(key: traffic.key)
        var withOthers = SmallDetector(key: traffic.key)
        withOthers.detect(KindSettings(.all))
        for step in 0..<600 {
            guard case .segment(let probe) = traffic.next().what else { continue }
            let now = Timestamp(nanoseconds: traffic.time)
            let wallClock = traffic.time / 1_000_000_000
            let expected = alone.find(probe, at: now, wallClock: wallClock)
            let found = withOthers.find(probe, at: now, wallClock: wallClock)
            let quick = found.flatMap { $0.report.kind == .quick ? $0.report : nil }
            let isSame =
                quick.map { LogLine($0, time: Self.noon).text }
                == expected.map { LogLine($0.report, time: Self.noon).text }
            #expect(isSame, "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step)")
            if !isSame { return }
        }
    }

    private static let noon = TimeOfDay(hour: 12, minute: 0, second: 0)
}

/// Random events: few sources and hosts, so that their pairs meet.
struct KindTraffic {
    private var random: SplitMix
    private(set) var time: Int64
    let kinds: ScanKinds
    let local: [Address]
    let key: HashKey
    private let favourite: PairClass
    private let pauses: [Int64]
    private var lastTried: (source: Address, host: Address, port: UInt16, target: PairClass)?

    struct Event: CustomStringConvertible {
        enum What {
            case segment(Probe)
            case packet(PairEvent)
        }
        var what: What
        var time: Int64

        var description: String { "\(what) at \(time)" }
    }

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        key = KindTraffic.key(&random)
        time = Int64.random(in: 0...1_000_000_000_000_000, using: &random)
        var kinds = ScanKinds.all
        for number in 1..<ScanKind.count where Int.random(in: 0..<8, using: &random) == 0 {
            if let kind = ScanKind(rawValue: number) { kinds.remove(kind) }
        }
        self.kinds = kinds
        let isLocal = Bool.random(using: &random)
        local =
            isLocal ? (1...40).map { KindTraffic.host($0, isIPv4: true) } + [KindTraffic.host(1, isIPv4: false)] : []
        let classes: [PairClass] = [.tcp, .tcp, .tcp, .ack, .udp, .protocols, .sctp, .echo]
        favourite = classes.randomElement(using: &random) ?? .tcp
        let choices: [[Int64]] = [
            [0, 100], [2, 500, 2999, 3000, 3001], [1000, 5000, 20_000], [1000, 59_000, 61_000, 1_790_000], [1],
        ]
        pauses = choices.randomElement(using: &random) ?? [0]
    }

    /// A key under which no two hosts share a tag of 15 bits: the detector takes such for one.
    private static func key(_ random: inout SplitMix) -> HashKey {
        while true {
            let key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
            let hosts = [true, false].flatMap { isIPv4 in (1...40).map { host($0, isIPv4: isIPv4) } }
            if Set(hosts.map { key.hash($0) & 0x7fff }).count == hosts.count { return key }
        }
    }

    static func host(_ number: Int, isIPv4: Bool) -> Address {
        isIPv4 ? Address(ipv4: 0x0a4d_0000 + UInt32(number)) : Address(ipv6High: 0xfd77 << 48, low: UInt64(number))
    }

    mutating func next() -> Event {
        let pause = pauses.randomElement(using: &random) ?? 0
        time += pause * 1_000_000 + Int64.random(in: 0..<1_000_000, using: &random)
        if let last = lastTried, Int.random(in: 0..<3, using: &random) == 0 { return answer(to: last) }
        let isIPv4 = Int.random(in: 0..<3, using: &random) > 0
        let number = UInt64.random(in: 0..<3, using: &random)
        let source =
            isIPv4
            ? Address(ipv4: 0xc000_0200 + UInt32(number))
            : Address(ipv6High: 0x2001_0db8 << 32 | number / 2, low: UInt64.random(in: 1...5, using: &random))
        let isWide = Bool.random(using: &random)
        let host = KindTraffic.host(isWide ? Int.random(in: 1...40, using: &random) : 1, isIPv4: isIPv4)
        let ports: [UInt16] =
            isWide ? [22, 22, 22, 3389] : [21, 22, 23, 25, 53, 80, 110, 443, 1080, 3389, 8080, 9000, 20_000, 25_000]
        let port = ports.randomElement(using: &random) ?? 1
        let target = Int.random(in: 0..<4, using: &random) == 0 ? .tcp : favourite
        lastTried = (source, host, port, target)
        return try_(target, source, host, port)
    }

    private mutating func try_(_ target: PairClass, _ source: Address, _ host: Address, _ port: UInt16) -> Event {
        switch target {
        case .tcp, .sweep:
            return Event(what: .segment(segment(to: port, from: source, destination: host)), time: time)
        case .ack:
            var reset = segment(to: 40_000, .rst, from: host, destination: source, sourcePort: port)
            reset.hasZeroAcknowledgment = true
            return Event(what: .segment(reset), time: time)
        case .udp, .protocols, .sctp, .echo:
            let isRefused = target == .udp || target == .protocols && Bool.random(using: &random)
            let number: UInt16 =
                switch target {
                case .echo: 0
                case .protocols: port % 251  // of 8 bits, and another one for each port above
                default: port
                }
            var event = PairEvent(target, isRefused ? .refused : .tried, by: source, at: host, port: number)
            event.sourcePort = 40_000
            return Event(what: .packet(event), time: time)
        }
    }

    private mutating func answer(to last: (source: Address, host: Address, port: UInt16, target: PairClass)) -> Event {
        if last.target == .echo {
            return Event(
                what: .packet(PairEvent(.echo, .accepted, by: last.source, at: last.host, port: 0)), time: time)
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            return Event(
                what: .segment(
                    segment(
                        to: 40_000, .syn.union(.ack), from: last.host, destination: last.source, sourcePort: last.port)),
                time: time)
        case 1:
            var reset = segment(
                to: 40_000, .rst.union(.ack), from: last.host, destination: last.source, sourcePort: last.port)
            reset.hasZeroSequence = true
            return Event(what: .segment(reset), time: time)
        case 2:
            return Event(
                what: .segment(segment(to: last.port, .fin.union(.ack), from: last.source, destination: last.host)),
                time: time)
        case 3:
            return Event(
                what: .segment(segment(to: last.port, .rst, from: last.source, destination: last.host)), time: time)
        default:
            return Event(
                what: .packet(PairEvent(.tcp, .refused, by: last.source, at: last.host, port: last.port)), time: time)
        }
    }
}

extension KindTraffic.Event {
    func apply(to model: inout KindModel) -> KindModel.Report? {
        switch what {
        case .segment(let probe):
            let flags = probe.flags ?? .none
            if flags == .syn { return model.probe(probe, at: time) }
            if flags == .syn.union(.ack) { return model.acceptance(probe, at: time) }
            if flags == .rst.union(.ack) {
                if !probe.hasZeroSequence { return nil }
                return model.answered(.tcp, by: probe.destination, probe.source, probe.sourcePort, .refused, at: time)
            }
            if flags == .fin.union(.ack) {
                return model.answered(
                    .tcp, by: probe.source, probe.destination, probe.destinationPort, .closed, at: time)
            }
            return model.reset(probe, at: time)
        case .packet(let event):
            switch (event.target, event.outcome) {
            case (.tcp, _):
                return model.answered(.tcp, by: event.source, event.destination, event.port, .refused, at: time)
            case (_, .accepted):
                return model.answered(
                    event.target, by: event.source, event.destination, event.port, .accepted, at: time)
            case (_, let outcome):
                return model.tried(
                    event.target, by: event.source, event.destination, event.port, refused: outcome == .refused,
                    at: time)
            }
        }
    }

    func apply<let lines: Int, let capacity: Int, let buckets: Int, let sets: Int>(
        to detector: inout ScanDetector<lines, capacity, buckets, sets>
    ) -> KindModel.Report? {
        let now = Timestamp(nanoseconds: time)
        let finding: ScanFinding?
        switch what {
        case .segment(let probe): finding = detector.find(probe, at: now, wallClock: time / 1_000_000_000)
        case .packet(let event):
            finding = detector.observe(event, at: now, wallClock: time / 1_000_000_000).map {
                detector.finding($0, at: now, wallClock: time / 1_000_000_000)
            }
        }
        guard let report = finding?.report, report.kind != .quick else { return nil }
        return KindModel.Report(
            kind: report.kind, source: report.source, sourceIsPrefix: report.sourceIsPrefix,
            destination: report.destination, ports: (0..<report.ports.count).map { report.ports[$0] },
            hosts: Int(report.hosts), seconds: report.seconds)
    }
}

extension KindTraffic.Event {
    /// Who sent a segment.
    var source: Address? {
        if case .segment(let probe) = what { probe.source } else { nil }
    }
}

extension ScanDetector {
    /// The pairs of a candidate for TCP ports, as text.
    mutating func pairs(of source: Address) -> String {
        for set in 0..<candidateSets {
            for way in 0..<8 {
                let place = CandidateTable<candidateSets>.Place(set: set, way: way)
                let pairs = candidates.withEntry(place) { one -> String? in
                    guard one.isOf(PairEvent(.tcp, .tried, by: source, at: source, port: 0)) else { return nil }
                    let pairs = (0..<Int(one.pairCount)).map { one.pair(at: $0) }
                    return pairs.map { "\($0.port) \($0.state)" }.joined(separator: ", ")
                        + "; \(one.addressCount) addresses, paused \(one.hasPaused)"
                }
                if let pairs { return pairs }
            }
        }
        return "none"
    }
}
