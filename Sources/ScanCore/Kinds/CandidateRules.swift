/// When what a candidate tried is a scan. The thresholds, and the captures by which they were chosen, are in
/// DETECTION.md.
extension Candidate {
    /// The kind of scan that its pairs amount to, now that something about one of them has changed.
    func kind(after pair: Pair, at now: UInt32, among kinds: ScanKinds) -> ScanKind? {
        let kind: ScanKind
        switch target {
        case .tcp:
            if weight(onHostOf: pair, failedLow: 3, failedHigh: 2, openLow: 1) < Parameters.candidateWeight {
                return nil
            }
            if addressCount >= Parameters.spreadAddresses && kinds.contains(.spread) { return .spread }
            if !hasPaused { return nil }
            kind = .slow
        case .ack:
            if weight(onHostOf: pair, failedLow: 3, failedHigh: 2, openLow: 0) < Parameters.candidateWeight {
                return nil
            }
            kind = .ack
        case .udp:
            if number(onHostOf: pair) < Parameters.udpPorts { return nil }
            kind = .udp
        case .protocols:
            if number(onHostOf: pair) < Parameters.protocolNumbers { return nil }
            kind = .protocols
        case .sctp:
            if number(onHostOf: pair) < Parameters.sctpPorts { return nil }
            kind = .sctp
        case .sweep, .echo:
            if !isSweep(at: now) { return nil }
            kind = target == .sweep ? .sweep : .ping
        }
        return kinds.contains(kind) ? kind : nil
    }

    /// The sum of the weights of the ports of a pair's host: a port at which a connection was accepted weighs less than
    /// one that failed, and above the privileged ones nothing.
    private func weight(onHostOf pair: Pair, failedLow: Int, failedHigh: Int, openLow: Int) -> Int {
        var weight = 0
        for index in 0..<Int(pairCount) {
            let other = self.pair(at: index)
            if !other.sharesHost(with: pair) { continue }
            let isLow = other.port < Parameters.privilegedPortEnd
            if other.state == .open { weight += isLow ? openLow : 0 } else { weight += isLow ? failedLow : failedHigh }
        }
        return weight
    }

    /// The number of distinct ports, or protocols, of a pair's host that did not accept.
    private func number(onHostOf pair: Pair) -> Int {
        var number = 0
        for index in 0..<Int(pairCount) {
            let other = self.pair(at: index)
            if other.sharesHost(with: pair) && other.state != .open { number += 1 }
        }
        return number
    }

    /// Whether it tried enough hosts in vain: one that refused counts twice, and so does one that has not answered for a
    /// second; a local one that answered counts once, as it is known to be another address of the same host.
    private func isSweep(at now: UInt32) -> Bool {
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
    func complete(_ report: inout ScanReport, with pair: Pair, of event: PairEvent) {
        if target == .sweep || target == .echo {
            report.ports.append(pair.port)
            report.hosts = UInt16(pairCount)
            return
        }
        var isOfOthersToo = false
        for index in 0..<Int(pairCount) {
            let other = self.pair(at: index)
            if !other.sharesHost(with: pair) { continue }
            if other.destination != pair.destination { isOfOthersToo = true }
            if !report.ports.contains(other.port) { report.ports.append(other.port) }
        }
        report.destination = event.destination
        report.changed.destination = isOfOthersToo
    }
}
