/// When a candidate is reported.
extension ScanDetector {
    /// Whether a candidate is to be reported after a pair of it was tried, or something was learnt about one.
    ///
    /// - Parameters:
    ///   - isNew: whether the pair is new.
    ///   - portsAreFresh: whether the host's open ports have just been read.
    mutating func judge(
        _ place: CandidatePlace, _ pair: Pair, _ event: PairEvent, isNew: Bool, hash: UInt32, at now: UInt32,
        portsAreFresh: Bool = false
    ) -> KindFound? {
        let rules = rules(for: event)
        var state = candidates.withEntry(place) { candidate -> CandidateVerdict? in
            // The candidate of a sweep may just have taken its place.
            candidate.isOf(event) ? candidate.verdict(after: pair, isNew: isNew, at: now, by: rules) : nil
        }
        let isToBeSettled = host.knowsPorts && pair.isLocal && event.target.isToldBySockets
        if state?.isNew == true && isToBeSettled && settle(place, event.target) {
            state = candidates.withEntry(place) { $0.verdict(after: pair, isNew: isNew, at: now, by: rules) }
        }
        guard let state else { return nil }
        let isConfirmed = !state.isNew || !isToBeSettled || portsAreFresh
        if state.isNew && isConfirmed {
            candidates.withEntry(place) { $0.markReported(at: now, asQuick: state.kind == .quick) }
            counters.reports &+= 1
        }
        return KindFound(
            place: place, kind: state.kind, pair: pair, event: event, isNew: state.isNew, hash: hash,
            isConfirmed: isConfirmed)
    }

    /// By which rules a candidate is judged after an event: of hosts that are monitored only the quick rule reports scans.
    private mutating func rules(for event: PairEvent) -> CandidateRules {
        var rules = CandidateRules(kinds: settings.kinds)
        if host.knowsPorts {
            rules.hostKnowsPorts = true
            rules.firstClientPort = UInt32(settings.firstClientPort)
        }
        if !settings.countsAnswers { return rules }
        if isLocal(event.source) { rules.kinds = .none }
        // What accepts counts less, so there is no scan where the touches are none: not by the whole of a /64.
        if let index = table.find(event.source).index {
            rules.countsAnswers = table.withEntry(index) { $0.isReported }
        }
        return rules
    }

    /// Marks the pairs of a candidate as open at whose ports sockets of the host take packets, where nothing else is
    /// known of them; whether there are any.
    private mutating func settle(_ place: CandidatePlace, _ target: PairClass) -> Bool {
        var isChanged = false
        let count = candidates.withEntry(place) { Int($0.pairCount) }
        for index in 0..<count {
            let pair = candidates.withEntry(place) { $0.pair(at: index) }
            if pair.state != .pending || !isOpenHere(pair, target) { continue }
            candidates.withEntry(place) { $0.markOpen(index) }
            isChanged = true
        }
        return isChanged
    }

    /// Decides about a scan that was found with ports of the host whose state may have changed since they were read:
    /// to be called when they have been read anew, in ``host``.
    ///
    /// - Parameter finding: the value just returned by ``find(_:at:realTime:)``, whose ``ScanFinding/isConfirmed`` is
    ///   false.
    /// - Returns: the scan, if it is one.
    public mutating func confirm(_ finding: ScanFinding, at now: Timestamp, realTime: Int64) -> ScanFinding? {
        guard let found = finding.unconfirmed else { return finding }
        let confirmed = judge(
            found.place, found.pair, found.event, isNew: true, hash: found.hash, at: now.milliseconds,
            portsAreFresh: true)
        return confirmed.map { self.finding($0, at: now, realTime: realTime) }
    }

    /// The finding about a candidate.
    mutating func finding(_ found: KindFound, at now: Timestamp, realTime: Int64) -> ScanFinding {
        var (report, suppression) = candidates.withEntry(found.place) { candidate -> (ScanReport, Suppression) in
            var report = candidate.report(as: found.kind, at: now.milliseconds, realTime: realTime)
            candidate.complete(&report, with: found.pair, of: found.event)
            return (report, candidate.suppression)
        }
        if found.kind == .quick { complete(&report) }
        return ScanFinding(
            report, isNew: found.isNew, lot: found.hash, suppression: suppression,
            candidate: UInt32(found.place.set * 8 + found.place.way), unconfirmed: found.isConfirmed ? nil : found)
    }

    /// Gives the report of a quick scan what is known exactly of the first packets, as long as its source is in the
    /// table.
    private mutating func complete(_ report: inout ScanReport) {
        guard let index = table.find(report.source).index else { return }
        let (ports, endTime) = (report.ports, report.endTime)
        report = table.withEntry(index) { $0.report }
        report.ports = ports
        report.endTime = endTime
    }
}

/// The scan that a candidate is.
struct CandidateVerdict {
    var kind: ScanKind
    /// Whether it is new; if not, its report was suppressed, and it continues.
    var isNew: Bool
}

/// A candidate that is to be reported.
struct KindFound: Sendable {
    var place: CandidatePlace
    var kind: ScanKind
    var pair: Pair
    var event: PairEvent
    var isNew: Bool
    var hash: UInt32
    /// Whether no port has to be looked at again.
    var isConfirmed: Bool
}
