/// What reported scans amount to, until they are over.
extension ScanDetector {
    /// Follows a scan that has just been reported until it is over.
    ///
    /// - Parameters:
    ///   - finding: the value just returned by ``find(_:at:realTime:)``, whose report was logged.
    ///   - level: the level at which its end will be logged.
    ///   - now: when the packet came that the finding is about.
    /// - Returns: another one that had to be given up for it, with its level.
    public mutating func followEnd(
        of finding: ScanFinding, level: Int32, at now: Timestamp
    ) -> (end: ScanEnd, level: Int32)? {
        let report = finding.report
        let name = ScanName(report.source, report.kind.nameKind, port: report.ports[0])
        let (began, givenUp) = ends.begin(
            ScanEnd(of: report), name, for: report.kind.endSilence, level: level, at: now)
        if !began { return nil }
        var isIncomplete = !finding.isNew
        if let candidate = finding.candidate {
            isIncomplete = addPairs(of: place(of: candidate), of: report.kind, to: name) || isIncomplete
            if isIncomplete { ends.markIncomplete(name, ports: !report.kind.isOfHosts, hosts: true) }
        } else {
            let areAll = addTouches(finding, to: name)
            if isIncomplete || !areAll { ends.markIncomplete(name, ports: isIncomplete, hosts: !areAll) }
        }
        return givenUp
    }

    /// Adds what a candidate tried; whether that was more.
    private mutating func addPairs(of place: CandidatePlace, of kind: ScanKind, to name: ScanName) -> Bool {
        let (start, count, isMore) = candidates.withEntry(place) { candidate in
            (kind == .quick ? candidate.runStart : 0, Int(candidate.pairCount), candidate.hasLostPairs)
        }
        for index in start..<max(start, count) {
            let pair = candidates.withEntry(place) { $0.pair(at: index) }
            ends.add(port: pair.port, hostTag: pair.destination & 0x7fff, to: name)
        }
        return isMore
    }

    /// Adds the ports that a source touched; whether all hosts are known. Which others there were than the first one, only
    /// the candidate tells.
    private mutating func addTouches(_ finding: ScanFinding, to name: ScanName) -> Bool {
        let report = finding.report
        if report.changed.destination {
            let event = PairEvent(.tcp, .tried, by: report.source, at: report.destination, port: finding.lastPort)
            let hash = key.hash(report.source.key)
            // It was tried just now, so it is not outdated by whatever clock.
            guard let place = candidates.findAny(event, hash: hash) else {
                addPorts(finding, to: name)
                return false
            }
            return !addPairs(of: place, of: .quick, to: name)
        }
        addPorts(finding, to: name)
        return true
    }

    private mutating func addPorts(_ finding: ScanFinding, to name: ScanName) {
        let report = finding.report
        let tag = key.tag(of: report.destination)
        for index in 0..<report.ports.count { ends.add(port: report.ports[index], hostTag: tag, to: name) }
        if !report.ports.contains(finding.lastPort) {
            ends.add(port: finding.lastPort, hostTag: tag, to: name)
        }
    }

    /// Counts a segment that tries a port.
    @inline(never)
    mutating func countForEnds(_ probe: Probe, at now: Timestamp) {
        let host = key.hash(host: probe.destination)
        let port = probe.destinationPort
        ends.count(port: port, host: host, of: ScanName(probe.source, .quick), at: now)
        ends.count(port: port, host: host, of: ScanName(probe.source, .tcp), at: now)
        ends.count(port: port, host: host, of: ScanName(probe.source, .sweep, port: port), at: now)
    }

    /// Counts a packet of another class, or the refusal of one.
    @inline(never)
    mutating func countForEnds(_ event: PairEvent, at now: Timestamp) {
        guard let kind = event.target.nameKind else { return }
        ends.count(port: event.port, host: key.hash(host: event.destination), of: ScanName(event.source, kind), at: now)
    }

    /// When the next scan that is followed is over, if nothing new comes of it.
    public var nextEndDue: Timestamp? {
        mutating get { ends.isActive ? ends.nextDue : nil }
    }

    /// The end of a scan that is over, with the level of its report, or `nil` if there is none: to be called until it
    /// returns `nil`.
    ///
    /// - Parameter atExit: all scans are over.
    public mutating func nextEnd(at now: Timestamp, atExit: Bool = false) -> (end: ScanEnd, level: Int32)? {
        ends.isActive ? ends.next(at: now, atExit: atExit) : nil
    }
}

extension PairClass {
    /// How the packets of its scans are known; `nil`: not by events.
    fileprivate var nameKind: ScanName.Kind? {
        switch self {
        case .ack: .ack
        case .udp: .udp
        case .protocols: .protocols
        case .sctp: .sctp
        case .echo: .ping
        case .tcp, .sweep: nil
        }
    }
}
