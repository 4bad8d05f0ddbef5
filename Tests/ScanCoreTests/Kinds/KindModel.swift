@testable import ScanCore

/// The rules of all kinds but the quick one in dictionaries and arrays, as DETECTION.md states them: no hash, no eviction
/// of sources. Times are in nanoseconds, and do not go back.
struct KindModel {
    struct Report: Equatable, CustomStringConvertible {
        var kind: ScanKind
        var source: Address
        var sourceIsPrefix: Bool
        var destination: Address
        var ports: [UInt16]
        var hosts: Int
        var seconds: UInt32
        /// Whether no port of the host has to be looked at again.
        var isConfirmed = true

        var description: String {
            "\(kind) by \(source.low) at \(ports), \(hosts) hosts, \(seconds) s, confirmed \(isConfirmed)"
        }
    }

    fileprivate enum State { case pending, refused, open, halfOpen }

    fileprivate struct Tried {
        var host: Address
        var port: UInt16
        var state = State.pending
        var since: Int64
    }

    fileprivate struct First {
        var source: Address
        var host: Address
        var port: UInt16
        var time: Int64
        var accepted = false
        var isReset = false
    }

    fileprivate struct Suspect {
        var source: Address
        var tried: [Tried] = []
        var began: Int64
        var lastNew: Int64
        var paused = false
        var addresses: [UInt64]
        var host: Address
        /// When it was reported, in units of 65,536 ms, and for how many it is silent then.
        var reported: (at: Int64, silence: Int64)?
    }

    fileprivate struct Name: Hashable {
        var high: UInt64
        var low: UInt64
        var isIPv4: Bool
        var target: UInt8
        var port: UInt16

        init(_ source: Address, _ target: PairClass, port: UInt16 = 0, whole: Bool = false) {
            high = source.high
            low = source.isIPv4 || whole ? source.low : 0
            isIPv4 = source.isIPv4
            self.target = target.rawValue
            self.port = port
        }
    }

    private let kinds: ScanKinds
    private let local: [Address]
    /// The ports at which the host's sockets take packets: `nil` of a file.
    private var open: OpenPorts?
    /// Whether something came to a port of the host at which none does.
    private(set) var isTriedInVain = false
    /// What the last verdict was on, if it was not final.
    private var unconfirmed: (name: Name, target: PairClass, event: Tried)?
    private var suspects: [Name: Suspect] = [:]
    private var firsts: [Name: First] = [:]
    /// The first segments of IPv6 sources, in order.
    private var ofPrefixes: [First] = []
    /// When sources that the quick rule follows touched their last new port, and what it knows of them.
    private var quick: [Name: (last: Int64, ports: [UInt16], weight: Int)] = [:]

    /// The first port of clients.
    static let firstClientPort: UInt16 = 32_768

    /// The ports of a host.
    struct OpenPorts: Equatable {
        var tcp: Set<UInt16> = []
        var udp: Set<UInt16> = []
    }

    /// - Parameters:
    ///   - local: the addresses that count as one host.
    ///   - open: the ports that this one has open, if that is known.
    init(_ kinds: ScanKinds, local: [Address], open: OpenPorts? = nil) {
        self.kinds = kinds
        self.local = local
        self.open = open
    }

    // MARK: The host

    /// Learns which ports the host has open now.
    mutating func list(_ ports: OpenPorts) { open = ports }

    /// Whether a socket of the host takes what is sent to a port of it.
    private func isOpenHere(_ host: Address, _ port: UInt16, _ target: PairClass) -> Bool {
        guard let open, local.contains(host) else { return false }
        switch target {
        case .tcp, .ack, .sweep: return open.tcp.contains(port)
        case .udp: return open.udp.contains(port)
        case .protocols, .sctp, .echo: return false
        }
    }

    /// Whether something came in vain: to a port of the host that is closed.
    private mutating func isClosedHere(_ host: Address, _ port: UInt16, _ target: PairClass) -> Bool {
        if open == nil || !local.contains(host) || isOpenHere(host, port, target) { return false }
        isTriedInVain = true
        return true
    }

    /// Whether a TCP port counts: of the host, those of clients do not.
    private func isCounted(_ host: Address, _ port: UInt16) -> Bool {
        open == nil || !local.contains(host) || port < Self.firstClientPort
    }

    private static func mayBeClients(_ port: UInt16, of source: UInt16) -> Bool {
        port >= firstClientPort || source < 1024 && port >= 1024
    }

    private static func ms(_ time: Int64) -> Int64 { time / 1_000_000 }

    private static func lifetime(_ target: PairClass) -> Int64 {
        switch target {
        case .ack: 600_000
        case .sweep, .echo: 60_000
        default: 1_800_000
        }
    }

    // MARK: TCP ports

    /// Processes a segment without ACK and RST.
    mutating func probe(_ probe: Probe, at now: Int64) -> Report? {
        if open == nil { clients.insert(client(probe, isSender: true)) }
        let name = Name(probe.source, .tcp, whole: true)
        let event = Tried(host: probe.destination, port: probe.destinationPort, since: now)
        var earlier: First?
        var (isQuick, isFollowed) = (false, false)
        if var followed = quick[name], now - followed.last <= 3_000_000_000 {
            isQuick = touch(&followed, probe.destinationPort, at: now)
            isFollowed = true
            quick[name] = followed
        } else if quick[name] != nil {
            quick[name] = nil
            earlier = begin(probe, name, at: now)
            if earlier == nil && suspects[Name(probe.source, .tcp)] == nil { return nil }
        } else if let first = firsts[name], now - first.time <= 3_000_000_000 {
            earlier = first
            if first.port != probe.destinationPort {
                firsts[name] = nil
                ofPrefixes.removeAll { $0.source == probe.source }
                var followed = (last: first.time, ports: [first.port], weight: Self.weight(first.port))
                isQuick = touch(&followed, probe.destinationPort, at: now)
                isFollowed = true
                quick[name] = followed
            } else {
                firsts[name]?.isReset = false
            }
        } else {
            let before = firsts[name]
            if before != nil { ofPrefixes.removeAll { $0.source == probe.source } }
            earlier = begin(probe, name, at: now) ?? before
        }
        if earlier?.isReset == true { earlier = nil }
        return follow(probe, event, after: earlier, isFollowed: isFollowed, isQuick: isQuick, at: now)
    }

    /// The quick rule remembers a source that begins with a reset; its first probe is not forgotten by that.
    private mutating func rememberReset(_ probe: Probe, at now: Int64) {
        let name = Name(probe.source, .tcp, whole: true)
        if let followed = quick[name], now - followed.last <= 3_000_000_000 { return }
        quick[name] = nil
        if let first = firsts[name] {
            if now - first.time <= 3_000_000_000 { return }
            let isKnown = isAlive(Name(probe.source, .tcp), .tcp, at: now)
            let isKept = !first.isReset && now - first.time <= 1_800_000_000_000 && isCounted(first.host, first.port)
            if isKept && !isKnown && !local.contains(first.source) {
                suspects[Name(probe.source, .tcp)] = Suspect(first)
            }
            ofPrefixes.removeAll { $0.source == probe.source }
        }
        firsts[name] = First(
            source: probe.source, host: probe.destination, port: probe.destinationPort, time: now, isReset: true)
    }

    private static func weight(_ port: UInt16) -> Int { port < 1024 ? 3 : 1 }

    /// The quick rule. Whether it reports.
    private func touch(_ source: inout (last: Int64, ports: [UInt16], weight: Int), _ port: UInt16, at now: Int64)
        -> Bool
    {
        if source.ports.contains(port) { return false }
        source.last = now
        if source.weight >= 21 { return false }
        source.weight += Self.weight(port)
        if source.weight >= 21 { return true }
        source.ports.append(port)
        return false
    }

    /// Remembers a first segment; returns that of another host of its /64.
    private mutating func begin(_ probe: Probe, _ name: Name, at now: Int64) -> First? {
        let first = First(source: probe.source, host: probe.destination, port: probe.destinationPort, time: now)
        firsts[name] = first
        if probe.source.isIPv4 { return nil }
        defer { ofPrefixes.append(first) }
        return ofPrefixes.last {
            $0.source.high == probe.source.high && !($0.host == first.host && $0.port == first.port)
        }
    }

    private mutating func follow(
        _ probe: Probe, _ event: Tried, after earlier: First?, isFollowed: Bool, isQuick: Bool, at now: Int64
    ) -> Report? {
        if local.contains(probe.source) || !isCounted(event.host, event.port) { return nil }
        let name = Name(probe.source, .tcp)
        let isOther = earlier.map {
            now - $0.time <= 1_800_000_000_000 && !($0.host == event.host && $0.port == event.port)
                && isCounted($0.host, $0.port)
        }
        if isFollowed && isOther != true && !isAlive(name, .tcp, at: now) {
            suspects[name] = Suspect(
                source: probe.source, began: now, lastNew: now, addresses: [probe.source.low], host: event.host)
        }
        guard let isNew = add(event, to: name, .tcp, of: probe.source, after: earlier, at: now) else { return nil }
        if isQuick { suspects[name]?.reported = (Self.ms(now) >> 16, 1_800_000 >> 16) }
        if kinds.contains(.sweep),
            let sweep = sweep(event, of: name, probe.source, isQuick: isQuick, at: now)
        {
            return sweep
        }
        return isQuick || !isNew ? nil : verdict(on: name, .tcp, event, at: now)
    }

    private mutating func sweep(
        _ event: Tried, of name: Name, _ source: Address, isQuick: Bool, at now: Int64
    ) -> Report? {
        guard let suspect = suspects[name] else { return nil }
        if !suspect.tried.contains(where: { $0.port == event.port && $0.host != event.host }) { return nil }
        let sweep = Name(source, .sweep, port: event.port)
        if suspects[sweep].map({ Self.ms(now) - Self.ms($0.lastNew) > 60_000 }) ?? true {
            var new = Suspect(source: source, began: now, lastNew: now, addresses: [source.low], host: event.host)
            for tried in suspect.tried where tried.port == event.port && tried.host != event.host {
                if Self.age(tried, at: now) > 60_000 { continue }
                new.tried.append(tried)
                new.began = min(new.began, now - Self.age(tried, at: now) * 1_000_000)
            }
            if let first = suspect.tried.first, first.port == event.port, first.host != event.host,
                Self.age(first, at: now) <= 60_000
            {
                new.host = suspect.host
                new.addresses = [suspect.addresses[0]]
            }
            suspects[sweep] = new
        }
        let isNew = add(event, to: sweep, .sweep, of: source, after: nil, at: now)
        return isNew == true && !isQuick ? verdict(on: sweep, .sweep, event, at: now) : nil
    }

    /// How long the state of a pair is known, in ms, as exactly as the list keeps it.
    private static func age(_ tried: Tried, at now: Int64) -> Int64 {
        (ms(now) / 128 - ms(tried.since) / 128) % 16_384 * 128
    }

    // MARK: Everything else

    /// Processes something tried, or refused, that is no TCP port.
    mutating func tried(
        _ target: PairClass, by source: Address, from sourcePort: UInt16, _ host: Address, _ port: UInt16,
        refused: Bool, at now: Int64
    )
        -> Report?
    {
        if local.contains(source) { return nil }
        if !isWanted(target, from: sourcePort, host, port, refused: refused) { return nil }
        let name = Name(source, target)
        let event = Tried(host: host, port: port, state: refused ? .refused : .pending, since: now)
        let first = firsts[name].flatMap { now - $0.time <= 1_800_000_000_000 ? $0 : nil }
        guard let isNew = add(event, to: name, target, of: source, after: first, at: now) else {
            if first == nil { firsts[name] = First(source: source, host: host, port: port, time: now) }
            return nil
        }
        firsts[name] = nil
        return isNew ? verdict(on: name, target, event, at: now) : nil
    }

    private mutating func isWanted(
        _ target: PairClass, from sourcePort: UInt16, _ host: Address, _ port: UInt16, refused: Bool
    ) -> Bool {
        let isOfClients = Self.mayBeClients(port, of: sourcePort)
        switch target {
        case .udp: return kinds.contains(.udp) && !isOfClients && (refused || isClosedHere(host, port, .udp))
        case .ack: return refused || !isOfClients && isClosedHere(host, port, .ack)
        case .protocols: return kinds.contains(.protocols)
        case .sctp: return kinds.contains(.sctp)
        case .echo: return kinds.contains(.ping)
        case .tcp, .sweep: return false
        }
    }

    /// Adds a pair; whether it is new, or `nil` if its source is not suspect.
    private mutating func add(
        _ event: Tried, to name: Name, _ target: PairClass, of source: Address, after earlier: First?, at now: Int64
    ) -> Bool? {
        let known = suspects[name].map { Self.ms(now) - Self.ms($0.lastNew) <= Self.lifetime(target) } ?? false
        if !known {
            guard let earlier, now - earlier.time <= 1_800_000_000_000 else { return nil }
            if earlier.host == event.host && earlier.port == event.port { return nil }
            if target == .tcp && !isCounted(earlier.host, earlier.port) { return nil }
            suspects[name] = Suspect(earlier)
        }
        return suspects[name]?.add(event, of: source, at: now)
    }

    /// Records an answer, or what the source did about it.
    mutating func answered(
        _ target: PairClass, by source: Address, _ host: Address, _ port: UInt16, _ how: Answer, at now: Int64
    )
        -> Report?
    {
        let event = Tried(host: host, port: port, since: now)
        let state: State = how == .accepted || how == .closed ? .open : how == .refused ? .refused : .halfOpen
        let name = Name(source, target)
        guard isAlive(name, target, at: now) else {
            let first = Name(source, target, whole: target == .tcp)
            let accepts = how == .accepted || how == .closed
            if accepts, let one = firsts[first], one.host == host, one.port == port {
                firsts[first]?.accepted = true
            }
            if accepts, target == .tcp, !source.isIPv4, firsts[first]?.accepted == true {
                for index in ofPrefixes.indices where ofPrefixes[index].source == source {
                    ofPrefixes[index].accepted = true
                }
            }
            return nil
        }
        guard let index = suspects[name]?.index(of: event), let old = suspects[name]?.tried[index] else { return nil }
        if how == .closed && old.state != .pending { return nil }
        if how == .reset && !isUnwanted(old, at: now) { return nil }
        if old.state == state { return nil }
        suspects[name]?.tried[index] = Tried(host: host, port: port, state: state, since: now)
        if target != .tcp { return verdict(on: name, target, event, at: now) }
        let sweep = Name(source, .sweep, port: port)
        if isAlive(sweep, .sweep, at: now), let place = suspects[sweep]?.index(of: event),
            suspects[sweep]?.tried[place].state != state
        {
            suspects[sweep]?.tried[place] = Tried(host: host, port: port, state: state, since: now)
            if let report = verdict(on: sweep, .sweep, event, at: now) { return report }
        }
        return state == .halfOpen ? verdict(on: name, .tcp, event, at: now) : nil
    }

    /// Whether a reset shows that a source did not want the connection that a port accepted.
    private func isUnwanted(_ tried: Tried, at now: Int64) -> Bool {
        if Self.age(tried, at: now) > 2000 { return false }
        return tried.state == .open || tried.state == .pending && isOpenHere(tried.host, tried.port, .tcp)
    }

    /// Processes a segment with FIN and ACK.
    mutating func close(_ probe: Probe, at now: Int64) -> Report? {
        let isKnown = hasTried(probe, at: now)
        let report = answered(.tcp, by: probe.source, probe.destination, probe.destinationPort, .closed, at: now)
        return isKnown ? report : acknowledgement(probe, at: now)
    }

    /// Processes a segment with ACK that may be of no connection.
    mutating func acknowledgement(_ probe: Probe, at now: Int64) -> Report? {
        if open == nil || !kinds.contains(.ack) || clients.contains(client(probe, isSender: false)) { return nil }
        if hasTried(probe, at: now) { return nil }
        return tried(
            .ack, by: probe.source, from: probe.sourcePort, probe.destination, probe.destinationPort, refused: false,
            at: now)
    }

    /// Whether a suspect tried the port of a segment.
    private func hasTried(_ probe: Probe, at now: Int64) -> Bool {
        let name = Name(probe.source, .tcp)
        let event = Tried(host: probe.destination, port: probe.destinationPort, since: now)
        return isAlive(name, .tcp, at: now) && suspects[name]?.index(of: event) != nil
    }

    /// A port of a host, and who is at the other end of a connection.
    private struct Client: Hashable {
        var client: Name
        var peer: Name
    }

    private var clients: Set<Client> = []

    /// The sender of a segment, or its receiver, as a client of the other.
    private func client(_ probe: Probe, isSender: Bool) -> Client {
        let (host, port, peer) =
            isSender
            ? (probe.source, probe.sourcePort, probe.destination)
            : (probe.destination, probe.destinationPort, probe.source)
        return Client(client: Name(host, .tcp, port: port, whole: true), peer: Name(peer, .tcp, whole: true))
    }

    /// Processes a segment with SYN and ACK.
    mutating func acceptance(_ probe: Probe, at now: Int64) -> Report? {
        clients.insert(client(probe, isSender: false))
        clients.remove(client(probe, isSender: true))
        return answered(.tcp, by: probe.destination, probe.source, probe.sourcePort, .accepted, at: now)
    }

    /// Processes a segment with RST alone.
    mutating func reset(_ probe: Probe, at now: Int64) -> Report? {
        defer { rememberReset(probe, at: now) }
        let name = Name(probe.source, .tcp)
        let event = Tried(host: probe.destination, port: probe.destinationPort, since: now)
        if isAlive(name, .tcp, at: now), let index = suspects[name]?.index(of: event),
            let old = suspects[name]?.tried[index], isUnwanted(old, at: now)
        {
            return answered(.tcp, by: probe.source, probe.destination, probe.destinationPort, .reset, at: now)
        }
        if !probe.hasZeroAcknowledgment || !kinds.contains(.ack) { return nil }
        if Self.mayBeClients(probe.sourcePort, of: probe.destinationPort) { return nil }
        if clients.contains(client(probe, isSender: true)) { return nil }
        return tried(
            .ack, by: probe.destination, from: 0, probe.source, probe.sourcePort, refused: true, at: now)
    }

    enum Answer { case accepted, refused, closed, reset }

    private func isAlive(_ name: Name, _ target: PairClass, at now: Int64) -> Bool {
        suspects[name].map { Self.ms(now) - Self.ms($0.lastNew) <= Self.lifetime(target) } ?? false
    }

    /// The pairs of a source that tried TCP ports, as text.
    func pairs(of source: Address) -> String {
        guard let suspect = suspects[Name(source, .tcp)] else { return "none" }
        return suspect.tried.map { "\($0.port) \($0.state)" }.joined(separator: ", ")
            + "; \(suspect.addresses.count) addresses, paused \(suspect.paused), reported \(suspect.reported.map { "\($0)" } ?? "no")"
    }

    // MARK: Verdicts

    /// The verdict on what was not final before, now that the ports of the host have been listed.
    mutating func confirm(at now: Int64) -> Report? {
        guard let last = unconfirmed else { return nil }
        return verdict(on: last.name, last.target, last.event, at: now, isFinal: true)
    }

    private mutating func verdict(
        on name: Name, _ target: PairClass, _ event: Tried, at now: Int64, isFinal: Bool = false
    ) -> Report? {
        unconfirmed = nil
        guard suspects[name]?.isHeard(at: now) == true else { return nil }
        guard var kind = kind(of: name, target, event, at: now) else { return nil }
        var isConfirmed = true
        if open != nil && local.contains(event.host) && [.tcp, .ack, .udp, .sweep].contains(target) {
            for index in suspects[name]?.tried.indices ?? 0..<0 {
                guard let tried = suspects[name]?.tried[index], tried.state == .pending else { continue }
                if isOpenHere(tried.host, tried.port, target) { suspects[name]?.tried[index].state = .open }
            }
            guard let settled = self.kind(of: name, target, event, at: now) else { return nil }
            kind = settled
            isConfirmed = isFinal
        }
        if isConfirmed {
            suspects[name]?.reported = (Self.ms(now) >> 16, 86_400_000 >> 16)
        } else {
            unconfirmed = (name, target, event)
        }
        return report(kind, on: name, event, isConfirmed: isConfirmed, at: now)
    }

    /// The pairs of a suspect that are of the host of one.
    private func pairs(of suspect: Suspect, onHostOf event: Tried) -> [Tried] {
        let isLocal = local.contains(event.host)
        return suspect.tried.filter { $0.host == event.host || isLocal && local.contains($0.host) }
    }

    /// What a suspect's pairs amount to.
    private func kind(of name: Name, _ target: PairClass, _ event: Tried, at now: Int64) -> ScanKind? {
        guard let suspect = suspects[name] else { return nil }
        let same = pairs(of: suspect, onHostOf: event)
        // A port of several addresses that are one host counts once, in full if it failed at one of them.
        let failed = Set(same.filter { $0.state != .open }.map(\.port))
        let refused = Set(same.filter { $0.state == .refused }.map(\.port)).count
        let isOwn = self.open != nil && local.contains(event.host)
        let open = Set(same.map(\.port)).subtracting(failed)
        let weight =
            failed.reduce(0) { $0 + ($1 < 1024 ? 3 : 2) } + (target == .tcp ? open.filter { $0 < 1024 }.count : 0)
        let kind: ScanKind? =
            switch target {
            case .tcp:
                weight < 21
                    ? nil
                    : suspect.addresses.count >= 4 && kinds.contains(.spread) ? .spread : suspect.paused ? .slow : nil
            case .ack: weight < 21 ? nil : .ack
            case .udp: failed.count < (isOwn ? (refused < 5 ? 7 : 6) : 4) ? nil : .udp
            case .protocols: failed.count < (isOwn && refused < 5 ? 7 : 6) ? nil : .protocols
            case .sctp: failed.count < 7 ? nil : .sctp
            case .echo: isSweep(suspect, at: now) ? .ping : nil
            case .sweep: isSweep(suspect, at: now) ? .sweep : nil
            }
        return kind.flatMap { kinds.contains($0) ? $0 : nil }
    }

    private func report(
        _ kind: ScanKind, on name: Name, _ event: Tried, isConfirmed: Bool, at now: Int64
    ) -> Report? {
        guard let suspect = suspects[name] else { return nil }
        let same = pairs(of: suspect, onHostOf: event)
        let isPrefix = !suspect.source.isIPv4 && suspect.addresses.count > 1
        let isOfHosts = kind == .sweep || kind == .ping
        var ports: [UInt16] = []
        for tried in same where !ports.contains(tried.port) && ports.count < 20 { ports.append(tried.port) }
        let elapsed = Self.ms(now) - Self.ms(suspect.began)
        return Report(
            kind: kind, source: isPrefix ? suspect.source.prefix : suspect.first, sourceIsPrefix: isPrefix,
            destination: isOfHosts ? suspect.host : event.host, ports: isOfHosts ? [event.port] : ports,
            hosts: isOfHosts ? suspect.tried.count : 0, seconds: UInt32(max((elapsed + 500) / 1000, 1)),
            isConfirmed: isConfirmed)
    }

    private func isSweep(_ suspect: Suspect, at now: Int64) -> Bool {
        var (sum, failed, open) = (0, 0, 0)
        for tried in suspect.tried {
            switch tried.state {
            case .open:
                open += 1
                sum += local.contains(tried.host) ? 1 : 0
            case .pending where Self.age(tried, at: now) < 1000:
                failed += 1
                sum += 1
            default:
                failed += 1
                sum += 2
            }
        }
        return sum >= 32 && (suspect.tried.allSatisfy { local.contains($0.host) } || open <= failed)
    }
}

extension KindModel.Suspect {
    /// Of the first pair tried.
    fileprivate init(_ first: KindModel.First) {
        source = first.source
        tried = [
            KindModel.Tried(
                host: first.host, port: first.port, state: first.accepted ? .open : .pending, since: first.time)
        ]
        began = first.time
        lastNew = first.time
        addresses = [first.source.low]
        host = first.host
    }

    fileprivate func isHeard(at now: Int64) -> Bool {
        guard let reported else { return true }
        return ((now / 1_000_000) >> 16) - reported.at > reported.silence
    }

    fileprivate var first: Address {
        source.isIPv4 ? source : Address(ipv6High: source.high, low: addresses[0])
    }

    fileprivate func index(of event: KindModel.Tried) -> Int? {
        tried.firstIndex { $0.host == event.host && $0.port == event.port }
    }

    fileprivate mutating func add(_ event: KindModel.Tried, of source: Address, at now: Int64) -> Bool {
        if !source.isIPv4 && !addresses.contains(source.low) && addresses.count < 4 { addresses.append(source.low) }
        if let index = index(of: event) {
            if event.state != .pending { tried[index] = event }
            return false
        }
        let (before, after) = (lastNew / 1_000_000, now / 1_000_000)
        if !tried.isEmpty && after - before >= 3000 { paused = true }
        lastNew = now
        if tried.count == 32 { tried.remove(at: tried.firstIndex { $0.state == .open } ?? 0) }
        tried.append(event)
        return true
    }
}
