/// The input is a sequence of packets with times between them, fed to three detectors: one of few entries, one of few
/// buckets, whose chains reach the cap, and one of many. All must agree with the model on sources that can't be lost.
func detectorFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var input = unsafe Input(Array(UnsafeBufferPointer(start: data, count: count)))
    var run = DetectorRun(key: key(input.byte()))
    while !input.isEmpty { run.step(&input) }
    run.finish()
    return 0
}

/// The first byte chooses whether all addresses collide or hardly any do.
private func key(_ choice: UInt8) -> HashKey {
    if choice & 1 == 0 { return HashKey([0, 0, 0, 0, 0]) }
    return HashKey([
        0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
        0xa076_1d64_78bd_642f,
    ])
}

/// A detector in memory of its own: three are too much for the stack.
private final class Kept<Value: ~Copyable> {
    var value: Value

    @inline(never)
    init(_ value: consuming Value) { self.value = value }
}

private struct DetectorRun: ~Copyable {
    private let small: Kept<ScanDetector<2, 8, 4, 4>>
    private let crowded: Kept<ScanDetector<2, 40, 2, 4>>
    private let roomy: Kept<ScanDetector<64, 256, 512, 4>>
    private var model = DetectorModel()
    private var limiter = LimiterWatch()
    private var suppressed = SuppressedSources()
    private var reported = 0
    private var now: Int64 = 0
    private var packets: UInt64 = 0

    init(key: HashKey) {
        small = Kept(ScanDetector(key: key))
        crowded = Kept(ScanDetector(key: key))
        roomy = Kept(ScanDetector(key: key))
    }

    /// Reads one step and takes it.
    mutating func step(_ input: inout Input) {
        switch input.byte() & 7 {
        case 0...3:
            observe(segment(&input))
        case 4, 5:  // the same again to the ports that follow
            var segment = segment(&input)
            for _ in 0...input.byte() & 31 {
                observe(segment)
                segment.destinationPort &+= 1  // 65,535 is followed by 0
            }
        case 6:
            let length = Int(input.byte() & 127)
            observe(packet: input.bytes(length))
        default:
            advance(input.byte())
            limiter.admit(at: now)
        }
        check(small.value.fault == nil, "the small table: \(small.value.fault ?? "")")
        check(crowded.value.fault == nil, "the crowded table: \(crowded.value.fault ?? "")")
    }

    /// Checks what need not be asked after every step.
    mutating func finish() {
        check(roomy.value.fault == nil, "the roomy table: \(roomy.value.fault ?? "")")
        checkCounters(small.value.counters, "small")
        checkCounters(crowded.value.counters, "crowded")
        checkCounters(roomy.value.counters, "roomy")
        check(small.value.sourcesFollowed <= 8, "too many sources followed")
        check(crowded.value.sourcesFollowed <= 2 * Parameters.collisionCap, "too many sources followed in two buckets")
        check(
            small.value.sourcesHeld <= 8 + 16 && crowded.value.sourcesHeld <= 2 * Parameters.collisionCap + 16,
            "too many held")
    }

    private func checkCounters(_ counters: DetectorCounters, _ name: String) {
        check(counters.packets == packets, "the \(name) table counts \(counters.packets) of \(packets) packets")
        let told = counters.probes + counters.ignored + counters.malformed
        check(told <= packets && counters.reports <= counters.probes, "the \(name) table: \(counters)")
    }

    private mutating func observe(packet: [UInt8]) {
        do throws(PacketFault) {
            observe(try Probe(packet: packet.span))
        } catch {
            packets += 1
            small.value.count(error)
            crowded.value.count(error)
            roomy.value.count(error)
        }
    }

    private mutating func observe(_ segment: Probe) {
        packets += 1
        let time = Timestamp(nanoseconds: now)
        let expected = model.observe(segment, at: now)
        let inSmall = small.value.observe(segment, at: time, realTime: 0)
        let inCrowded = crowded.value.observe(segment, at: time, realTime: 0)
        let inRoomy = observeInRoomy(segment, at: time)
        if let inSmall { checkReport(inSmall, of: segment) }
        if let inSmall { checkEncoding(inSmall) }
        if let inCrowded { checkReport(inCrowded, of: segment) }
        if let inRoomy { checkReport(inRoomy, of: segment) }
        if !model.uncertain.contains(SourceName(segment.source)) {
            compare(inRoomy, with: expected)
            compare(inSmall, with: expected)
            compare(inCrowded, with: expected)
        }
        if inRoomy != nil { limiter.admit(at: now) }
    }

    /// In this one, every second report is suppressed: it comes again with each new port, and is the same then.
    private mutating func observeInRoomy(_ segment: Probe, at time: Timestamp) -> ScanReport? {
        guard var finding = roomy.value.find(segment, at: time, realTime: 0) else { return nil }
        if finding.isNew {
            reported += 1
            if reported % 2 == 0 { return finding.report }
            suppressed.add(&finding)
            check(finding.suppression.isSuppressed, "not told that the report is suppressed")
            roomy.value.remember(finding)
            return finding.report
        }
        check(finding.suppression.isSuppressed, "a report that was logged comes again")
        check(finding.report.source == segment.source, "another source goes on than the packet's")
        let before = finding.suppression.newPorts
        suppressed.add(&finding)
        check(finding.suppression.newPorts > before || before == .max, "a new port is not counted")
        roomy.value.remember(finding)
        return nil
    }

    /// A detector that can't have lost the source says what the model says.
    private func compare(_ report: ScanReport?, with expected: DetectorModel.Source?) {
        check((report == nil) == (expected == nil), "the table and the model differ on whether this is a scan")
        guard let report, let expected else { return }
        let ports = (0..<report.ports.count).map { report.ports[$0] }
        check(ports == expected.ports, "ports \(ports) for \(expected.ports)")
        check(report.flagsEverSet.rawValue == expected.ever, "flags ever set")
        check(report.flagsAlwaysSet.rawValue == expected.always, "flags always set")
        check(report.changed == expected.othersToo, "\(report.changed) for \(expected.othersToo)")
        check(report.destination == expected.first.destination, "not the first destination")
        check(report.sourcePort == expected.first.sourcePort, "not the first source port")
        check(report.typeOfService == expected.first.typeOfService, "not the first type of service")
        check(report.timeToLive == expected.first.timeToLive, "not the first time to live")
    }

    /// What holds of every report, from a table that put sources out too: nothing in it is made up.
    private func checkReport(_ report: ScanReport, of last: Probe) {
        check(report.source == last.source, "another source is reported than the packet's")
        let touched = model.touched[SourceName(report.source)] ?? []
        var weight = 0
        var seen: Set<UInt16> = []
        for index in 0..<report.ports.count {
            let port = report.ports[index]
            check(touched.contains(port), "port \(port) was never touched")
            check(seen.insert(port).inserted, "port \(port) is listed twice")
            weight += DetectorModel.weight(port)
        }
        let threshold = Int(Parameters.weightThreshold)
        check(!seen.contains(last.destinationPort), "the last port is listed")
        check(weight < threshold, "ports that weigh \(weight) were no scan yet")
        check(weight + DetectorModel.weight(last.destinationPort) >= threshold, "too few ports for a scan")
        let wereSeen = report.flagsEverSet != .none || report.flagsAlwaysSet != .all
        check(!wereSeen || report.flagsEverSet.contains(report.flagsAlwaysSet), "a flag was always set and never")
        checkLine(report)
    }

    private func checkLine(_ report: ScanReport) {
        let time = TimeOfDay(hour: 23, minute: 59, second: 60)
        let line = LogLine(report, time: time)
        let whole = LogLine(report, time: time, limit: nil)
        check(whole.count < 320 && line.count <= whole.count, "a line of \(whole.count) bytes")
        if let limit = Parameters.lineLength {
            // At least one port stays, whatever comes before and after it.
            let onePort = LogLine(report, time: time, limit: 0).count
            let addresses = report.source.isIPv4 ? 0 : 2 * (39 - 15)
            check(line.count <= max(limit + addresses, onePort), "a line of \(line.count) bytes: over the limit")
        }
        for index in 0..<line.count {
            check((0x20...0x7e).contains(line.bytes[index]), "byte \(line.bytes[index]) in a line")
        }
    }

    // MARK: The encoding

    private mutating func segment(_ input: inout Input) -> Probe {
        let source = address(input.byte())
        let port = destinationPort(input.byte())
        let bits = input.byte()
        advance(input.byte())
        let other = input.byte()  // mostly 0, so that a field changes now and then
        let flags = other & 0x30 == 0x30 ? nil : TCPFlags(rawValue: bits)  // not seen
        return Probe(
            source: source, destination: Address(ipv4: 0x0a00_0001 + UInt32(other & 3)),
            sourcePort: 40000 + UInt16(other >> 2 & 3), destinationPort: port, transport: .tcp(flags),
            typeOfService: other >> 4 & 3, timeToLive: 61 + (other >> 6))
    }

    private func address(_ code: UInt8) -> Address {
        switch code & 63 {
        case 60: Address(ipv4: 0)
        case 61: Address(ipv6High: 0, low: 0)
        case 62: Address(ipv6High: 0, low: 0xffff_0a4d_0001)  // the mapped form of case 1
        case 63: Address(ipv6High: 0, low: 0x0a4d_0001)  // the same words as case 1
        case let host where host < 30: Address(ipv4: 0x0a4d_0000 + UInt32(host))
        case let host: Address(ipv6High: 0x2001_0db8_ffff_ffff, low: 0xffff_ffff_ffff_0000 + UInt64(host))
        }
    }

    /// Low ports, those about the first that is not privileged, and the highest.
    private func destinationPort(_ code: UInt8) -> UInt16 {
        switch code {
        case 0..<128: UInt16(code)
        case 128..<136: 1020 + UInt16(code - 128)
        default: UInt16.max - UInt16(255 - code)
        }
    }

    /// Moves the clock: by 50 ms a step, by a limit or a nanosecond beside it, back, or as far as it goes.
    private mutating func advance(_ code: UInt8) {
        let (gap, quiet) = (Parameters.longestGap, Parameters.reportQuiet)
        let step: Int64 =
            switch code {
            case 200...202: gap - 201 + Int64(code)
            case 203...205: quiet - 204 + Int64(code)
            case 206: -1
            case 207: -gap
            case 208: .min
            case 209: .max
            case let code where code < 200: Int64(code) * 50_000_000
            default: 0
            }
        let (sum, overflow) = now.addingReportingOverflow(step)
        now = overflow ? (step < 0 ? .min : .max) : sum
    }
}
