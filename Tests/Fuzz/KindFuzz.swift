/// The input chooses what is detected and what is known of a host, then a sequence of packets of all classes, ports that
/// open and close, and times between them: two detectors get it, one whose tables are soon full, and one with room.
/// Their tables stay whole, and each report can be made, be sent to the other process and be written.
func kindFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var input = unsafe Input(Array(UnsafeBufferPointer(start: data, count: count)))
    let setting = KindSetting(&input)
    var run = KindRun(setting)
    while !input.isEmpty { run.step(&input) }
    run.finish()
    return 0
}

/// What is the same for a whole sequence.
private struct KindSetting {
    let key: HashKey
    var settings: KindSettings
    /// Whether the packets are those that a host receives, whose addresses and open ports are known.
    let isOfHost: Bool
    /// The host's own addresses.
    let own: [Address]

    init(_ input: inout Input) {
        let choice = input.byte()
        key =
            choice & 1 == 0
            ? HashKey([0, 0, 0, 0, 0])
            : HashKey([
                0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
                0xa076_1d64_78bd_642f,
            ])
        let (left, right) = (input.byte(), input.byte())
        var kinds = ScanKinds.all
        for number in 0..<ScanKind.count where (UInt16(left) << 8 | UInt16(right)) >> UInt16(number) & 1 != 0 {
            if let kind = ScanKind(rawValue: number) { kinds.remove(kind) }
        }
        let networks = input.byte()
        settings = KindSettings(kinds, quickRule: networks & 32 != 0 ? .answers : .touches)
        settings.firstClientPort = [0, 1024, 32_768, 65_535][Int(choice >> 1 & 3)]
        isOfHost = choice & 8 != 0
        own = isOfHost ? (0..<4).filter { choice >> (4 + $0) & 1 != 0 }.map { KindPlaces.host(UInt8($0)) } : []
        for number in 0..<4 where networks >> number & 1 != 0 {
            let address = KindPlaces.host(UInt8(number))
            let isAdded = settings.local.append(address, prefixLength: networks >> 4 & 1 != 0 ? 24 : 32)
            check(isAdded, "there is room for four networks")
        }
    }

    /// Whether an address is the host's own, or of a local network.
    func isLocal(_ address: Address) -> Bool { own.contains(address) || settings.isLocal(address) }
}

/// The addresses and ports of all packets: few, so that they meet.
private enum KindPlaces {
    /// A host that is tried: of both versions of IP.
    static func host(_ code: UInt8) -> Address {
        let number = code & 63
        return number & 1 == 0
            ? Address(ipv4: 0x0a00_0001 + UInt32(number)) : Address(ipv6High: 0xfd77 << 48, low: UInt64(number))
    }

    /// Who tries: also the hosts themselves, nobody, and hosts of the network of ::.
    static func source(_ code: UInt8) -> Address {
        switch code {
        case 0..<96: Address(ipv4: 0xc000_0200 + UInt32(code & 31))
        case 96..<192: Address(ipv6High: 0x2001_0db8 << 32 | UInt64(code >> 4 & 3), low: UInt64(code & 15))
        case 192..<208: Address(ipv6High: 0, low: UInt64(code & 15))
        case 208: Address(ipv4: 0)
        default: host(code)
        }
    }

    static func port(_ code: UInt8) -> UInt16 {
        switch code {
        case 0..<96: UInt16(code)
        case 96..<128: 1008 + UInt16(code - 96)
        case 128..<160: 32_752 + UInt16(code - 128)
        default: UInt16.max - UInt16(255 - code)
        }
    }
}

private struct KindRun: ~Copyable {
    private let setting: KindSetting
    private var crowded: KindWatch<2, 8, 4, 1>
    private var roomy: KindWatch<64, 256, 512, 16>
    private var open: (tcp: Set<UInt16>, udp: Set<UInt16>) = ([], [])
    private var now: Int64 = 0

    init(_ setting: KindSetting) {
        self.setting = setting
        crowded = KindWatch(setting, isSmall: true)
        roomy = KindWatch(setting, isSmall: false)
    }

    /// Reads one step and takes it.
    mutating func step(_ input: inout Input) {
        switch input.byte() & 15 {
        case 0...3: observe(.segment(segment(&input)))
        case 4:  // the same again to the ports that follow
            var segment = segment(&input)
            for _ in 0...input.byte() & 31 {
                observe(.segment(segment))
                segment.destinationPort &+= 1  // 65,535 is followed by 0
            }
        case 5:  // and to the hosts that follow
            var segment = segment(&input)
            for code in 0...input.byte() & 31 {
                segment.destination = KindPlaces.host(code * 2 + (segment.source.isIPv4 ? 0 : 1))
                observe(.segment(segment))
            }
        case 6...9: observe(.event(event(&input)))
        case 10:
            var event = event(&input)
            for _ in 0...input.byte() & 31 {
                observe(.event(event))
                if event.target == .echo {
                    event.destination = KindPlaces.host(UInt8(truncatingIfNeeded: event.destination.low) &+ 1)
                } else {
                    event.port = event.target == .protocols ? (event.port &+ 1) & 0xff : event.port &+ 1
                }
            }
        case 11:
            let length = Int(input.byte() & 127)
            observe(packet: input.bytes(length))
        case 12, 13: toggle(input.byte(), input.byte())
        default: advance(input.byte())
        }
    }

    /// Checks what takes long.
    mutating func finish() {
        let fault = roomy.detector.fault
        check(fault == nil, "the roomy tables: \(fault ?? "")")
    }

    private mutating func observe(_ what: KindPacket) {
        let time = Timestamp(nanoseconds: now)
        let inCrowded = crowded.observe(what, at: time)
        let inRoomy = roomy.observe(what, at: time)
        confirm(inCrowded, inRoomy)
    }

    /// A packet as it arrives: it is looked at as one of any protocol, then as a segment.
    private mutating func observe(packet: [UInt8]) {
        let time = Timestamp(nanoseconds: now)
        let inCrowded = crowded.observe(packet: packet, at: time)
        let inRoomy = roomy.observe(packet: packet, at: time)
        confirm(inCrowded, inRoomy)
        do throws(PacketFault) {
            observe(.segment(try Probe(packet: packet.span)))
        } catch {
            crowded.detector.count(error)
            roomy.detector.count(error)
        }
    }

    /// What has to be looked at again is, when the ports have been listed; that may be just after others opened.
    private mutating func confirm(_ inCrowded: ScanFinding?, _ inRoomy: ScanFinding?) {
        if inCrowded == nil && inRoomy == nil { return }
        check(setting.isOfHost, "a scan of ports that nobody knows is to be confirmed")
        if now & 1 != 0, let port = (inRoomy ?? inCrowded)?.report.ports[0] {
            open.tcp.formSymmetricDifference([port])
            open.udp.formSymmetricDifference([port])
        }
        list()
        let time = Timestamp(nanoseconds: now)
        if let inCrowded { crowded.confirm(inCrowded, at: time) }
        if let inRoomy { roomy.confirm(inRoomy, at: time) }
    }

    // MARK: The host

    /// Opens a port that is closed, or closes it.
    private mutating func toggle(_ code: UInt8, _ transport: UInt8) {
        if !setting.isOfHost { return }
        let port = KindPlaces.port(code)
        if transport & 1 != 0 { open.tcp.formSymmetricDifference([port]) }
        if transport & 2 != 0 { open.udp.formSymmetricDifference([port]) }
        list()
    }

    private mutating func list() {
        crowded.set(tcp: open.tcp, udp: open.udp)
        roomy.set(tcp: open.tcp, udp: open.udp)
    }

    // MARK: The encoding

    private mutating func segment(_ input: inout Input) -> Probe {
        let source = KindPlaces.source(input.byte())
        let code = input.byte()
        let destination = KindPlaces.host(code & 0x3e | (source.isIPv4 ? 0 : 1))
        let port = KindPlaces.port(input.byte())
        let flags = input.byte()
        advance(input.byte())
        let other = input.byte()  // mostly 0, so that a field changes now and then
        let isReversed = code & 0x80 != 0  // an answer
        let sourcePort: UInt16 = other & 1 != 0 ? 53 : 40_000
        var probe = Probe(
            source: isReversed ? destination : source, destination: isReversed ? source : destination,
            sourcePort: isReversed ? port : sourcePort, destinationPort: isReversed ? sourcePort : port,
            transport: .tcp(other & 0x30 == 0x30 ? nil : TCPFlags(rawValue: flags)), typeOfService: other >> 4 & 3,
            timeToLive: 61 + (other >> 6))
        probe.hasZeroSequence = other & 4 == 0
        probe.hasZeroAcknowledgment = other & 8 == 0
        return probe
    }

    private mutating func event(_ input: inout Input) -> PairEvent {
        let source = KindPlaces.source(input.byte())
        let destination = KindPlaces.host(input.byte() & 0x3e | (source.isIPv4 ? 0 : 1))
        let port = KindPlaces.port(input.byte())
        let (target, outcome): (PairClass, PairEvent.Outcome) =
            switch input.byte() & 7 {
            case 0: (.tcp, .refused)
            case 1: (.udp, .tried)
            case 2: (.udp, .refused)
            case 3: (.protocols, .tried)
            case 4: (.protocols, .refused)
            case 5: (.sctp, .tried)
            case 6: (.echo, .tried)
            default: (.echo, .accepted)
            }
        advance(input.byte())
        let number = target == .echo ? 0 : target == .protocols ? port & 0xff : port
        var event = PairEvent(target, outcome, by: source, at: destination, port: number)
        event.sourcePort = 40_000
        return event
    }

    /// Moves the clock: by 25 ms a step, by a limit or a millisecond beside it, back, or as far as it goes.
    private mutating func advance(_ code: UInt8) {
        let millisecond: Int64 = 1_000_000
        let limits: [Int64] = [1000, 2000, 3000, 60_000, 600_000, 1_800_000, 86_400_000, 2_073_600_000]
        let step: Int64 =
            switch code {
            case 0..<160: Int64(code) * 25 * millisecond
            case 160..<184: (limits[Int(code - 160) / 3] + Int64(code - 160) % 3 - 1) * millisecond
            case 184: -1
            case 185: -3000 * millisecond
            case 186: -3001 * millisecond
            case 187: -1_800_000 * millisecond
            case 188: .min
            case 189: .max
            case 190: (1 << 31) * millisecond
            case 191: (1 << 32) * millisecond
            default: 0
            }
        let (sum, overflow) = now.addingReportingOverflow(step)
        now = overflow ? (step < 0 ? .min : .max) : sum
    }
}

private enum KindPacket {
    case segment(Probe)
    case event(PairEvent)
}

/// A detector, and what holds of it after each packet.
private struct KindWatch<let lines: Int, let capacity: Int, let buckets: Int, let sets: Int>: ~Copyable {
    var detector: ScanDetector<lines, capacity, buckets, sets>
    private let setting: KindSetting
    /// Whether its tables can be looked through after every packet.
    private let isSmall: Bool
    private var suppressed = SuppressedSources()
    private var reported: UInt64 = 0

    init(_ setting: KindSetting, isSmall: Bool) {
        self.setting = setting
        self.isSmall = isSmall
        detector = ScanDetector(key: setting.key)
        detector.detect(setting.settings)
        detector.host.knowsPorts = setting.isOfHost
        for address in setting.own {
            let isAdded = detector.host.addresses.insert(address, setting.key)
            check(isAdded, "there is room for four addresses")
        }
    }

    mutating func set(tcp: Set<UInt16>, udp: Set<UInt16>) {
        detector.host.ports.tcp.removeAll()
        detector.host.ports.udp.removeAll()
        for port in tcp { detector.host.ports.tcp.insert(port) }
        for port in udp { detector.host.ports.udp.insert(port) }
    }

    /// Takes a packet; the finding, if it has to be confirmed.
    mutating func observe(_ what: KindPacket, at now: Timestamp) -> ScanFinding? {
        while let over = detector.nextEnd(at: now) { checkEnd(over.end) }
        switch what {
        case .segment(let probe): return note(detector.find(probe, at: now, realTime: 0), at: now)
        case .event(let event):
            guard let found = detector.observe(event, at: now, realTime: 0) else { return note(nil, at: now) }
            return note(detector.finding(found, at: now, realTime: 0), at: now)
        }
    }

    mutating func observe(packet: [UInt8], at now: Timestamp) -> ScanFinding? {
        note(detector.find(packet: packet.span, at: now, realTime: 0), at: now)
    }

    /// What a scan amounted to can be written, and comes back as it was from the other process.
    private func checkEnd(_ end: ScanEnd) {
        let line = LogLine(end, time: TimeOfDay(hour: 23, minute: 59, second: 60))
        check(line.count < 320, "a line of \(line.count) bytes")
        check(end.hosts.number <= 384 + 32 && end.packets.number >= end.hosts.number, "\(end)")
        let encoded = end.encoded
        do throws(PacketFault) {
            let again = try ScanEnd(encoded: encoded.span).encoded
            check(encoded.indices.allSatisfy { again[$0] == encoded[$0] }, "\(end) comes back as another")
        } catch {
            check(false, "\(end) is refused")
        }
    }

    mutating func confirm(_ finding: ScanFinding, at now: Timestamp) {
        guard let confirmed = detector.confirm(finding, at: now, realTime: 0) else {
            _ = note(nil, at: now)
            return
        }
        check(confirmed.isConfirmed && confirmed.isNew, "a scan is to be confirmed twice")
        // What is too little by answers can be enough for a slow one.
        let wasQuick = finding.report.kind == .quick
        check(wasQuick || confirmed.report.kind == finding.report.kind, "what is confirmed is of another kind")
        let again = note(confirmed, at: now)
        check(again == nil, "a scan is to be confirmed twice")
    }

    /// Checks a finding, and has every second report suppressed; returns one that has to be confirmed.
    private mutating func note(_ finding: ScanFinding?, at now: Timestamp) -> ScanFinding? {
        let fault = isSmall ? detector.fault : nil
        check(fault == nil, "the small tables: \(fault ?? "")")
        guard var finding else {
            check(detector.counters.reports == reported, "a report is counted and not made")
            return nil
        }
        checkReport(finding.report)
        if !finding.isConfirmed {
            check(detector.counters.reports == reported, "a scan is counted before it is confirmed")
            return finding
        }
        check(detector.counters.reports == reported + (finding.isNew ? 1 : 0), "a report is not counted, or twice")
        reported = detector.counters.reports
        check(finding.isNew != finding.suppression.isSuppressed, "a report that was logged comes again")
        if finding.isNew && reported % 2 == 0 {
            if let other = detector.followEnd(of: finding, level: 1, at: now) {
                check(other.end.isGoingOn, "a scan is over for want of room")
                checkEnd(other.end)
            }
            return nil
        }
        suppressed.add(&finding)
        detector.remember(finding)
        return nil
    }

    private func checkReport(_ report: ScanReport) {
        let kinds = detector.settings.kinds
        check(kinds.contains(report.kind) || report.kind == .quick && !kinds.hasOthers, "\(report.kind) is off")
        checkEncoding(report)
        let line = LogLine(report, time: TimeOfDay(hour: 23, minute: 59, second: 60), limit: nil)
        check(line.count < 320, "a line of \(line.count) bytes")
        if report.kind == .quick { return }
        check(report.sourceIsPrefix || !setting.isLocal(report.source), "an own address is reported: \(report)")
        // Up to a pause after the longest time that is told.
        let most = (UInt32(Parameters.longestDuration) + UInt32(Parameters.candidateLifetime)) / 1000 + 1
        check((1...most).contains(report.seconds), "\(report.seconds) seconds")
        let least =
            switch report.kind {
            case .slow, .spread, .ack, .sctp: 7
            case .udp: Parameters.udpPorts
            case .protocols: Parameters.protocolNumbers
            case .quick, .sweep, .ping: 1
            }
        check(report.ports.count >= least, "\(report.ports.count) ports")
        if report.kind.isOfHosts { check((16...32).contains(report.hosts), "\(report.hosts) hosts") }
        if report.sourceIsPrefix { check(report.source.low == 0, "a network with the address of a host") }
    }
}
