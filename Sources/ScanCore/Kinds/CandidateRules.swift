/// By which rules candidates are judged.
struct CandidateRules {
    /// The kinds of scans to report.
    var kinds: ScanKinds
    /// Whether ``ScanKind/quick`` is one of them that counts answers.
    var countsAnswers = false
    /// The first of a local host's TCP ports of which no other rule can know whether it was open.
    var firstClientPort: UInt32 = 65_536
    /// Whether the host tells itself which of its ports take nothing.
    var hostKnowsPorts = false
}

/// When what a candidate tried is a scan. The thresholds, and the captures by which they were chosen, are in
/// DETECTION.md.
extension Candidate {
    /// What is to be reported of it, now that something about one of its pairs has changed: a scan that is new, or one
    /// whose report was suppressed, and that continues.
    ///
    /// - Parameter isNew: whether the pair is new.
    mutating func verdict(
        after pair: Pair, isNew: Bool, at now: UInt32, by rules: CandidateRules
    ) -> CandidateVerdict? {
        let continues = isNew && suppression.isSuppressed
        if rules.countsAnswers && target == .tcp && isQuick(onHostOf: pair) {
            if !isRunReported { return CandidateVerdict(kind: .quick, isNew: true) }
            return continues && isReportedAsQuick ? CandidateVerdict(kind: .quick, isNew: false) : nil
        }
        let wasReported = isReported(at: now)
        if wasReported && (!continues || isReportedAsQuick) { return nil }
        guard let kind = kind(after: pair, at: now, by: rules) else { return nil }
        return CandidateVerdict(kind: kind, isNew: !wasReported)
    }

    /// The kind of scan that its pairs amount to, but for ``ScanKind/quick``.
    private mutating func kind(after pair: Pair, at now: UInt32, by rules: CandidateRules) -> ScanKind? {
        let kinds = rules.kinds
        let kind: ScanKind
        switch target {
        case .tcp:
            let weights = PairWeights(failedLow: 3, failedHigh: 2, openLow: 1, localEnd: rules.firstClientPort)
            if !reaches(Parameters.candidateWeight, onHostOf: pair, weights) { return nil }
            if addressCount >= Parameters.spreadAddresses && kinds.contains(.spread) { return .spread }
            if !hasPaused { return nil }
            kind = .slow
        case .ack:
            let weights = PairWeights(failedLow: 3, failedHigh: 2, openLow: 0)
            if !reaches(Parameters.candidateWeight, onHostOf: pair, weights) { return nil }
            kind = .ack
        case .udp:
            if !failsEnough(onHostOf: pair, Parameters.udpPorts, by: rules) { return nil }
            kind = .udp
        case .protocols:
            if !failsEnough(onHostOf: pair, Parameters.protocolNumbers, by: rules) { return nil }
            kind = .protocols
        case .sctp:
            if !reaches(Parameters.sctpPorts, onHostOf: pair, .failures) { return nil }
            kind = .sctp
        case .sweep, .echo:
            if !isSweep(at: now) { return nil }
            kind = target == .sweep ? .sweep : .ping
        }
        return kinds.contains(kind) ? kind : nil
    }

    /// Whether the ports of a pair's host are a scan by the quick rule, which counts those tried since the last pause.
    private mutating func isQuick(onHostOf pair: Pair) -> Bool {
        let low = Int(Parameters.privilegedPortWeight)
        let weights = PairWeights(failedLow: low, failedHigh: Int(Parameters.otherPortWeight), openLow: 1)
        return reaches(Int(Parameters.weightThreshold), onHostOf: pair, weights, from: runStart)
    }

    /// Whether enough ports, or protocols, of a pair's host failed: a number of them, or, of the monitored host, one for
    /// which it takes as many packets as for a quick scan.
    private mutating func failsEnough(onHostOf pair: Pair, _ number: Int, by rules: CandidateRules) -> Bool {
        if !rules.hostKnowsPorts || !pair.isLocal { return reaches(number, onHostOf: pair, .failures) }
        if reaches(Parameters.ownFailures, onHostOf: pair, .failures) { return true }
        // Of the first one it is not kept how it failed.
        return reaches(Parameters.ownRefusals, onHostOf: pair, .failures)
            && reaches(Parameters.ownRefusals - 1, onHostOf: pair, .refusals)
    }

    /// Whether the weights of the ports of a pair's host, from one in the list on, add up to a threshold.
    private mutating func reaches(
        _ threshold: Int, onHostOf pair: Pair, _ weights: PairWeights, from start: Int = 0
    ) -> Bool {
        var sum = 0
        for index in start..<Int(pairCount) {
            let other = self.pair(at: index)
            if other.sharesHost(with: pair) { sum += weights.weight(of: other) }
        }
        // Of local addresses, which are one host, the same port may have been counted more than once.
        if sum < threshold || !pair.isLocal || !triedOtherHosts { return sum >= threshold }
        sum = 0
        for index in start..<Int(pairCount) where isFirst(index, from: start) {
            let first = self.pair(at: index)
            if !first.isLocal { continue }
            var heaviest = 0
            for later in index..<Int(pairCount) {
                let other = self.pair(at: later)
                if other.isLocal && other.port == first.port { heaviest = max(heaviest, weights.weight(of: other)) }
            }
            sum += heaviest
        }
        return sum >= threshold
    }

    /// Whether no pair of a local host before one, from another one on, has the same port.
    private mutating func isFirst(_ index: Int, from start: Int) -> Bool {
        let port = pair(at: index).port
        for earlier in start..<index where pair(at: earlier).isLocal && pair(at: earlier).port == port { return false }
        return true
    }

    /// Whether it tried enough hosts in vain: one that refused counts twice, and so does one that has not answered for a
    /// second; a local one that answered counts once, as it is known to be another address of the same host.
    private mutating func isSweep(at now: UInt32) -> Bool {
        var (sum, failed, open) = (0, 0, 0)
        var isLocal = true
        for index in 0..<Int(pairCount) {
            let pair = pair(at: index)
            isLocal = isLocal && pair.isLocal
            switch pair.state {
            case .open:
                open += 1
                sum += pair.isLocal ? 1 : 0
            case .pending where pair.age(at: now) < 1000:
                failed += 1
                sum += 1
            case .pending, .refused, .halfOpen:
                failed += 1
                sum += 2
            }
        }
        return sum >= Parameters.sweepWeight && (isLocal || open <= failed)
    }

    /// Adds to a report the ports, or protocols, of a pair's host, in the order in which they were tried; of a sweep, how
    /// many hosts.
    mutating func complete(_ report: inout ScanReport, with pair: Pair, of event: PairEvent) {
        if target == .sweep || target == .echo {
            report.ports.append(pair.port)
            report.hosts = UInt16(pairCount)
            return
        }
        var range = 0..<Int(pairCount)
        if report.kind == .quick {
            report.source = event.source
            range = runStart..<lastIndex(onHostOf: pair)  // its line does not name the port that completed it
        }
        var isOfOthersToo = false
        for index in range {
            let other = self.pair(at: index)
            if !other.sharesHost(with: pair) { continue }
            if other.destination != pair.destination { isOfOthersToo = true }
            if !report.ports.contains(other.port) { report.ports.append(other.port) }
        }
        report.destination = event.destination
        report.changed.destination = isOfOthersToo
    }

    /// The last pair in the list of a pair's host; it has one.
    private mutating func lastIndex(onHostOf pair: Pair) -> Int {
        var last = Int(pairCount) - 1
        while last > runStart && !self.pair(at: last).sharesHost(with: pair) { last -= 1 }
        return last
    }
}

/// How much the ports weigh that a source tried: one at which a connection was accepted less than one that failed, and
/// above the privileged ones nothing.
private struct PairWeights {
    /// Their number, or that of protocols, without those that accepted.
    static var failures: PairWeights { PairWeights(failedLow: 1, failedHigh: 1, openLow: 0) }

    /// The number of those that were refused.
    static var refusals: PairWeights { PairWeights(failedLow: 1, failedHigh: 1, openLow: 0, pendingFails: false) }

    var failedLow: Int
    var failedHigh: Int
    var openLow: Int
    /// Local ones from here on do not count.
    var localEnd: UInt32 = 65_536
    /// Whether one counts of which nothing is known but that it was tried.
    var pendingFails = true

    func weight(of pair: Pair) -> Int {
        if !pendingFails && pair.state == .pending { return 0 }
        if pair.isLocal && UInt32(pair.port) >= localEnd { return 0 }
        let isLow = pair.port < Parameters.privilegedPortEnd
        if pair.state == .open { return isLow ? openLow : 0 }
        return isLow ? failedLow : failedHigh
    }
}
