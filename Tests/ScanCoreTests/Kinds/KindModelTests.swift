import Testing

@testable import ScanCore

/// Random sequences of events of all classes, against the model.
struct KindModelTests {
    /// The packets of a file, and those that a host receives, whose sockets and addresses are known.
    @Test(arguments: [false, true], 0..<300)
    func randomEventsAreJudgedAsByTheModel(isOfHost: Bool, sequence: Int) {
        let judges = KindJudges(seed: Seed.value &+ UInt64(sequence), isOfHost: isOfHost)
        for step in 0..<600 {
            if let difference = judges.step() {
                Issue.record("SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step): \(difference)")
                return
            }
        }
    }

    @Test(arguments: [false, true])
    func theRandomEventsReachEveryKind(isOfHost: Bool) {
        var kinds: [ScanKind: Int] = [:]
        var (confirmed, refuted) = (0, 0)
        for sequence in UInt64(0)..<300 {
            var traffic = KindTraffic(seed: sequence, isOfHost: isOfHost)
            var model = traffic.model
            for _ in 0..<600 {
                let event = traffic.next()
                guard var report = event.apply(to: &model)?.report else { continue }
                if !report.isConfirmed {
                    model.list(traffic.changePorts())
                    guard let final = model.confirm(at: event.time) else {
                        refuted += 1
                        continue
                    }
                    confirmed += 1
                    report = final
                }
                kinds[report.kind, default: 0] += 1
            }
        }
        for kind in [ScanKind.slow, .spread, .sweep, .ping, .udp, .ack, .protocols, .sctp] {
            #expect(kinds[kind, default: 0] >= 3, "\(kind): \(kinds)")
        }
        let leastOfEach = isOfHost ? 20 : 0
        #expect(confirmed >= leastOfEach && refuted >= leastOfEach, "\(confirmed), \(refuted)")
        #expect(isOfHost || confirmed + refuted == 0)
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
            let realTime = traffic.time
            let expected = alone.find(probe, at: now, realTime: realTime)
            let found = withOthers.find(probe, at: now, realTime: realTime)
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

/// A detector and the model, which judge the same events.
private final class KindJudges {
    private var traffic: KindTraffic
    private var detector: ScanDetector<64, 256, 512, 64>
    private var model: KindModel

    init(seed: UInt64, isOfHost: Bool) {
        traffic = KindTraffic(seed: seed, isOfHost: isOfHost)
        detector = ScanDetector(key: traffic.key)
        model = traffic.model
        traffic.set(&detector)
    }

    /// Has both judge one more event; returns in what they differ.
    func step() -> String? {
        let event = traffic.next()
        let found = event.apply(to: &detector)
        let expected = event.apply(to: &model)
        if let difference = compare(found, expected, after: event) { return difference }
        guard let found, !found.report.isConfirmed else { return nil }
        // What the sensor does then: it lists the sockets, and asks again.
        let ports = traffic.changePorts()
        detector.list(ports)
        model.list(ports)
        let confirmed = detector.confirm(found, at: event.time)
        return compare(confirmed, KindTraffic.Found(model.confirm(at: event.time)), after: event)
    }

    private func compare(
        _ found: KindTraffic.Found?, _ expected: KindTraffic.Found?, after event: KindTraffic.Event
    ) -> String? {
        var fault = detector.fault
        if detector.host.isTriedInVain != model.isTriedInVain {
            fault = fault ?? "tried in vain only in one of both"
        }
        if found == expected && fault == nil { return nil }
        return """
            \(event)
            report: \(found?.report.description ?? "none")
            model: \(expected?.report.description ?? "none"), table: \(fault ?? "whole")
            candidate: \(event.source.map { detector.pairs(of: $0) } ?? "")
            model: \(event.source.map { model.pairs(of: $0) } ?? "")
            """
    }
}

/// Random events: few sources and hosts, so that their pairs meet.
struct KindTraffic {
    private var random: SplitMix
    private(set) var time: Int64
    let kinds: ScanKinds
    let local: [Address]
    let key: HashKey
    /// Those that are open, of a host.
    private var open: KindModel.OpenPorts?
    private let favourite: PairClass
    private let pauses: [Int64]
    private var lastTried: (source: Address, host: Address, port: UInt16, target: PairClass)?

    struct Event: CustomStringConvertible {
        enum What {
            case segment(Probe)
            case packet(PairEvent)
            case ports(KindModel.OpenPorts)
        }
        var what: What
        var time: Int64

        var description: String { "\(what) at \(time)" }
    }

    init(seed: UInt64, isOfHost: Bool = false) {
        random = SplitMix(seed: seed)
        key = KindTraffic.key(&random)
        time = Int64.random(in: 0...1_000_000_000_000_000, using: &random)
        var kinds = ScanKinds.all
        for number in 1..<ScanKind.count where Int.random(in: 0..<8, using: &random) == 0 {
            if let kind = ScanKind(rawValue: number) { kinds.remove(kind) }
        }
        self.kinds = kinds
        let isLocal = isOfHost || Bool.random(using: &random)
        let hosts = isOfHost ? [1, 30].randomElement(using: &random) ?? 1 : 40
        local =
            isLocal
            ? (1...hosts).map { KindTraffic.host($0, isIPv4: true) } + [KindTraffic.host(1, isIPv4: false)] : []
        open = isOfHost ? KindModel.OpenPorts() : nil
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
            if Set(hosts.map { key.hash(host: $0) & 0x7fff }).count == hosts.count { return key }
        }
    }

    static func host(_ number: Int, isIPv4: Bool) -> Address {
        isIPv4 ? Address(ipv4: 0x0a4d_0000 + UInt32(number)) : Address(ipv6High: 0xfd77 << 48, low: UInt64(number))
    }

    mutating func next() -> Event {
        let pause = pauses.randomElement(using: &random) ?? 0
        time += pause * 1_000_000 + Int64.random(in: 0..<1_000_000, using: &random)
        if open != nil && Int.random(in: 0..<20, using: &random) == 0 {
            return Event(what: .ports(changePorts()), time: time)
        }
        if let last = lastTried, Int.random(in: 0..<3, using: &random) == 0 { return answer(to: last) }
        let isIPv4 = Int.random(in: 0..<3, using: &random) > 0
        let source = source(isIPv4: isIPv4)
        let isWide = Bool.random(using: &random)
        let host = KindTraffic.host(isWide ? Int.random(in: 1...40, using: &random) : 1, isIPv4: isIPv4)
        let port = (isWide ? [22, 22, 22, 3389] : KindTraffic.ports).randomElement(using: &random) ?? 1
        let target = Int.random(in: 0..<4, using: &random) == 0 ? .tcp : favourite
        lastTried = (source, host, port, target)
        return try_(target, source, host, port)
    }

    /// One of a few, now and then a local one.
    private mutating func source(isIPv4: Bool) -> Address {
        if open != nil, isIPv4, Int.random(in: 0..<20, using: &random) == 0 { return local[0] }
        let number = UInt64.random(in: 0..<3, using: &random)
        return isIPv4
            ? Address(ipv4: 0xc000_0200 + UInt32(number))
            : Address(ipv6High: 0x2001_0db8 << 32 | number / 2, low: UInt64.random(in: 1...5, using: &random))
    }

    private static let ports: [UInt16] = [
        21, 22, 23, 25, 53, 80, 110, 443, 1080, 3389, 8080, 9000, 20_000, 25_000, 32_767, 32_768, 40_000,
    ]

    /// The ports that are open from now on: others than before, some or none.
    mutating func changePorts() -> KindModel.OpenPorts {
        guard var open else { return KindModel.OpenPorts() }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: open = KindModel.OpenPorts()
        case 1: open.tcp = Set(KindTraffic.ports.filter { _ in Bool.random(using: &random) })
        case 2: open.udp = Set(KindTraffic.ports.filter { _ in Bool.random(using: &random) })
        default:
            if let port = KindTraffic.ports.randomElement(using: &random) {
                if !open.tcp.insert(port).inserted { open.tcp.remove(port) }
            }
        }
        self.open = open
        return open
    }

    /// Tells a detector what it has to know of the host.
    func set<let lines: Int, let capacity: Int, let buckets: Int, let sets: Int>(
        _ detector: inout ScanDetector<lines, capacity, buckets, sets>
    ) {
        var settings = KindSettings(kinds)
        settings.firstClientPort = KindModel.firstClientPort
        if let open {
            for address in local {
                let isAdded = detector.host.addresses.insert(address, key)
                #expect(isAdded)
            }
            detector.list(open)
        } else if !local.isEmpty {
            let areAdded =
                settings.local.append(KindTraffic.host(0, isIPv4: true), prefixLength: 26)
                && settings.local.append(KindTraffic.host(1, isIPv4: false), prefixLength: 128)
            #expect(areAdded)
        }
        detector.detect(settings)
    }

    /// A model that knows the same.
    var model: KindModel { KindModel(kinds, local: local, open: open) }

    private mutating func try_(_ target: PairClass, _ source: Address, _ host: Address, _ port: UInt16) -> Event {
        switch target {
        case .tcp, .sweep:
            return Event(what: .segment(segment(to: port, from: source, destination: host)), time: time)
        case .ack where open != nil && Int.random(in: 0..<4, using: &random) > 0:
            let flags = [TCPFlags.ack, .ack.union(.psh), .ack.union(.fin)].randomElement(using: &random) ?? .ack
            return Event(
                what: .segment(
                    segment(to: port, flags, from: source, destination: host, sourcePort: sourcePort())),
                time: time)
        case .ack:
            var reset = segment(to: 40_000, .rst, from: host, destination: source, sourcePort: port)
            reset.hasZeroAcknowledgment = true
            return Event(what: .segment(reset), time: time)
        case .udp, .protocols, .sctp, .echo:
            let isSeen = target == .protocols || target == .udp && open != nil
            let isRefused = target == .udp && !isSeen || isSeen && Bool.random(using: &random)
            let number: UInt16 =
                switch target {
                case .echo: 0
                case .protocols: port % 251  // of 8 bits, and another one for each port above
                default: port
                }
            var event = PairEvent(target, isRefused ? .refused : .tried, by: source, at: host, port: number)
            event.sourcePort = sourcePort()
            return Event(what: .packet(event), time: time)
        }
    }

    /// Now and then, that of a service.
    private mutating func sourcePort() -> UInt16 { Int.random(in: 0..<8, using: &random) == 0 ? 53 : 40_000 }

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
    func apply(to model: inout KindModel) -> KindTraffic.Found? { KindTraffic.Found(report(of: &model)) }

    private func report(of model: inout KindModel) -> KindModel.Report? {
        switch what {
        case .ports(let ports):
            model.list(ports)
            return nil
        case .segment(let probe):
            let flags = probe.flags ?? .none
            if flags == .syn { return model.probe(probe, at: time) }
            if flags == .syn.union(.ack) { return model.acceptance(probe, at: time) }
            if flags == .rst.union(.ack) {
                if !probe.hasZeroSequence { return nil }
                return model.answered(.tcp, by: probe.destination, probe.source, probe.sourcePort, .refused, at: time)
            }
            if flags == .fin.union(.ack) { return model.close(probe, at: time) }
            if flags.isEstablishedData { return model.acknowledgement(probe, at: time) }
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
                    event.target, by: event.source, from: event.sourcePort, event.destination, event.port,
                    refused: outcome == .refused, at: time)
            }
        }
    }

    func apply<let lines: Int, let capacity: Int, let buckets: Int, let sets: Int>(
        to detector: inout ScanDetector<lines, capacity, buckets, sets>
    ) -> KindTraffic.Found? {
        let now = Timestamp(nanoseconds: time)
        let finding: ScanFinding?
        switch what {
        case .ports(let ports):
            detector.list(ports)
            return nil
        case .segment(let probe): finding = detector.find(probe, at: now, realTime: time)
        case .packet(let event):
            finding = detector.observe(event, at: now, realTime: time).map {
                detector.finding($0, at: now, realTime: time)
            }
        }
        return KindTraffic.Found(finding)
    }
}

extension KindTraffic {
    /// What was found: the parts of it that the model knows.
    struct Found: Equatable {
        let report: KindModel.Report
        /// The detector's.
        let finding: ScanFinding?

        init?(_ report: KindModel.Report?) {
            guard let report else { return nil }
            self.report = report
            finding = nil
        }

        /// Of another kind than the quick one.
        init?(_ finding: ScanFinding?) {
            guard let finding, finding.report.kind != .quick else { return nil }
            let report = finding.report
            self.report = KindModel.Report(
                kind: report.kind, source: report.source, sourceIsPrefix: report.sourceIsPrefix,
                destination: report.destination, ports: (0..<report.ports.count).map { report.ports[$0] },
                hosts: Int(report.hosts), seconds: report.seconds, isConfirmed: finding.isConfirmed)
            self.finding = finding
        }

        static func == (one: Found, other: Found) -> Bool { one.report == other.report }
    }
}

extension ScanDetector {
    /// Learns which ports the host has open now.
    fileprivate mutating func list(_ ports: KindModel.OpenPorts) {
        host.ports.tcp.removeAll()
        host.ports.udp.removeAll()
        for port in ports.tcp { host.ports.tcp.insert(port) }
        for port in ports.udp { host.ports.udp.insert(port) }
        host.knowsPorts = true
    }

    /// What is found now of what was found before.
    fileprivate mutating func confirm(_ found: KindTraffic.Found, at time: Int64) -> KindTraffic.Found? {
        guard let finding = found.finding else { return nil }
        return KindTraffic.Found(
            confirm(finding, at: Timestamp(nanoseconds: time), realTime: time))
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
