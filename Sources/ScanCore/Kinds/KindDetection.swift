/// The kinds of scans beside the quick one: what they see of each packet.
///
/// The first pair that a source tries is the record of a first packet in ``ProbationLog``, which serves the quick rule
/// too. The second one makes it a ``Candidate``.
extension ScanDetector {
    // MARK: TCP

    /// Processes a segment that tries a port.
    ///
    /// - Parameters:
    ///   - probe: the segment, which can't be an answer.
    ///   - record: that of the first segment of its source, if it is known.
    ///   - hash: that of its source.
    ///   - isFollowed: whether the quick rule follows its source, so that the record of its first segment is gone.
    ///   - isQuick: whether the segment completes a quick scan, which is reported then.
    @inline(never)  // keeps the path of a flood's packets short
    mutating func follow(
        _ probe: Probe, after record: ProbationRecord?, hash: UInt32, isFollowed: Bool, isQuick: Bool,
        at now: Timestamp, realTime: Int64
    ) -> KindFound? {
        let isOwn = isLocal(probe.source, hash: hash)
        if isOwn && !settings.countsAnswers { return nil }
        let event = PairEvent(of: probe)
        let time = now.milliseconds
        let pair = pair(of: event, .pending, at: time)
        if !isCounted(pair) { return nil }
        let hash = candidateHash(of: event, addressHash: hash)
        let place: CandidatePlace
        if let known = candidate(of: event, pair, after: record, hash: hash, at: now) {
            place = known
        } else if isFollowed {
            place = candidates.insert(event, begun: time, hash: hash, at: time)
        } else {
            return nil
        }
        let countsAgain = settings.countsAnswers
        let isNew = candidates.withEntry(place) { $0.add(pair, of: event, at: time, againAfterPause: countsAgain) }
        if isQuick { candidates.withEntry(place) { $0.markReported(at: time, asQuick: true) } }
        if !isOwn, let sweep = followSweep(event, pair, place, isQuick: isQuick, at: time) { return sweep }
        if isQuick || !isNew { return nil }
        return judge(place, pair, event, isNew: true, hash: hash, at: time)
    }

    /// Whether a source may be a candidate.
    @inline(__always)
    func mayBeCandidate(_ probe: Probe, hash: UInt32) -> Bool {
        candidates.mayHave(probe.source.isIPv4 ? hash : key.hash(probe.source.prefix))
    }

    /// The candidate of an event's source and class: the one there is, or a new one with the pair of an earlier record.
    private mutating func candidate(
        of event: PairEvent, _ pair: Pair, after record: ProbationRecord?, hash: UInt32, at now: Timestamp
    ) -> CandidatePlace? {
        let time = now.milliseconds
        if let place = candidates.find(event, hash: hash, at: time) {
            return place
        }
        guard let record, isRemembered(record, at: now) else { return nil }
        let first = firstPair(of: record)
        if first.isSame(as: pair) || event.target == .tcp && !isCounted(first) { return nil }
        return insert(record, first, hash: hash, at: time)
    }

    /// Whether a record is of a probe that is not forgotten.
    private func isRemembered(_ record: ProbationRecord, at now: Timestamp) -> Bool {
        record.isOfProbe && now.isWithin(Parameters.rememberedTime, after: record.time)
    }

    /// The pair of a record, with what is known of it.
    private mutating func firstPair(of record: ProbationRecord) -> Pair {
        pair(of: record.event, record.isAccepted ? .open : .pending, at: record.time.milliseconds)
    }

    /// Inserts the candidate of a record, with its pair.
    private mutating func insert(
        _ record: ProbationRecord, _ pair: Pair, hash: UInt32, at now: UInt32
    ) -> CandidatePlace {
        let begun = record.time.milliseconds
        let place = candidates.insert(record.event, begun: begun, hash: hash, at: now)
        _ = candidates.withEntry(place) { $0.add(pair, of: record.event, at: begun) }
        return place
    }

    /// Makes the source of a record that is about to be removed a candidate, unless it is one.
    @inline(never)
    mutating func keep(_ record: ProbationRecord, hash: UInt32, at now: Timestamp) {
        if !isRemembered(record, at: now) || isLocal(record.source) && !settings.countsAnswers { return }
        let hash = candidateHash(of: record.event, addressHash: hash)
        let time = now.milliseconds
        if candidates.find(record.event, hash: hash, at: time) != nil { return }
        let first = firstPair(of: record)
        if isCounted(first) { _ = insert(record, first, hash: hash, at: time) }
    }

    /// Processes a pair of a candidate whose port it tried on other hosts too.
    private mutating func followSweep(
        _ event: PairEvent, _ pair: Pair, _ place: CandidatePlace, isQuick: Bool, at now: UInt32
    ) -> KindFound? {
        if !settings.kinds.contains(.sweep) || !isTold(pair) { return nil }
        if !candidates.withEntry(place, { $0.hasPort(pair.port, ofOtherThan: pair.destination) }) { return nil }
        var event = event
        event.target = .sweep
        let hash = candidateHash(of: event, addressHash: key.hash(event.source.key))
        let sweep: CandidatePlace
        if let known = candidates.find(event, hash: hash, at: now) {
            sweep = known
        } else {
            let one = candidates.withEntry(place) { $0 }
            sweep = candidates.insert(event, begun: now, hash: hash, at: now)
            candidates.withEntry(sweep) { $0.take(of: one, pair, at: now) }
        }
        let isNew = candidates.withEntry(sweep) { $0.add(pair, of: event, at: now) }
        // One segment is one report: the next host that is tried completes the sweep.
        return isNew && !isQuick ? judge(sweep, pair, event, isNew: true, hash: hash, at: now) : nil
    }

    /// Processes a segment with ACK or RST, which may answer one that tried a port, or end what came of it.
    @inline(never)
    mutating func noteAnswer(_ probe: Probe, at now: Timestamp, realTime: Int64) -> KindFound? {
        guard let flags = probe.flags else { return nil }
        let time = now.milliseconds
        if flags.containsAny(of: .rst) {
            if !flags.containsAny(of: .ack) { return noteReset(probe, at: now, realTime: realTime) }
            if !probe.hasZeroSequence { return nil }
            return mark(answer(.tcp, .refused, probe), .refused, at: time)
        }
        if flags.contains(.syn.union(.ack)) {
            clients.insert(probe.destination, port: probe.destinationPort, peer: probe.source, key)
            clients.remove(probe.source, port: probe.sourcePort, peer: probe.destination, key)
            return mark(answer(.tcp, .accepted, probe), .open, at: time)
        }
        return flags.containsAny(of: .fin) ? noteClose(probe, at: now, realTime: realTime) : nil
    }

    /// The event that a segment from a tried port shows.
    private func answer(_ target: PairClass, _ outcome: PairEvent.Outcome, _ probe: Probe) -> PairEvent {
        PairEvent(target, outcome, by: probe.destination, at: probe.source, port: probe.sourcePort)
    }

    /// A segment that closes a connection well shows that one was accepted, if its port was tried; if it was not, it is
    /// an acknowledgement like others.
    private mutating func noteClose(_ probe: Probe, at now: Timestamp, realTime: Int64) -> KindFound? {
        let event = PairEvent(of: probe)
        let time = now.milliseconds
        switch stateOf(pair(of: event, .open, at: time), of: event, at: time)?.state {
        case .none:
            _ = mark(event, .open, at: time)  // if it is the only one that its source tried
            return noteAcknowledgement(probe, at: now, realTime: realTime)
        case .pending: return mark(event, .open, at: time)
        case .refused, .open, .halfOpen: return nil
        }
    }

    /// An acknowledgement to a port at which no socket listens, if it belongs to no connection that the host opened.
    @inline(never)  // rare: the kernel drops those to all other ports
    mutating func noteAcknowledgement(_ probe: Probe, at now: Timestamp, realTime: Int64) -> KindFound? {
        if !host.knowsPorts || !settings.kinds.contains(.ack) { return nil }
        // Nearly all of them are for ports that are open.
        if host.takes(probe.destinationPort, of: .ack) { return nil }
        let (host, port, peer) = (probe.destination, probe.destinationPort, probe.source)
        if clients.contains(host, port: port, peer: peer, key) { return nil }
        var event = PairEvent(of: probe)
        let time = now.milliseconds
        // The end of a handshake, at a port that was closed when the sockets were listed.
        if stateOf(pair(of: event, .pending, at: time), of: event, at: time) != nil { return nil }
        event.target = .ack
        return observe(event, at: now, realTime: realTime)
    }

    /// A reset without ACK: soon after a connection was accepted, what a scanner sends that wants none; with an
    /// acknowledgement field of 0, the answer of a port to an acknowledgement that belongs to no connection.
    private mutating func noteReset(_ probe: Probe, at now: Timestamp, realTime: Int64) -> KindFound? {
        let time = now.milliseconds
        let event = PairEvent(of: probe)
        if let pair = stateOf(pair(of: event, .open, at: time), of: event, at: time), pair.age(at: time) <= 2000,
            pair.state == .open || pair.state == .pending && isOpenHere(pair, .tcp)
        {
            return mark(event, .halfOpen, at: time)
        }
        if !probe.hasZeroAcknowledgment || !settings.kinds.contains(.ack) { return nil }
        if settings.mayBeClients(port: probe.sourcePort, of: probe.destinationPort) { return nil }
        if clients.contains(probe.source, port: probe.sourcePort, peer: probe.destination, key) { return nil }
        return observe(answer(.ack, .refused, probe), at: now, realTime: realTime)
    }

    // MARK: Everything else

    /// Processes an event of another class than TCP ports.
    mutating func observe(_ event: PairEvent, at now: Timestamp, realTime: Int64) -> KindFound? {
        let time = now.milliseconds
        if event.outcome == .accepted { return mark(event, .open, at: time) }
        if event.target == .tcp { return mark(event, .refused, at: time) }
        if !isWanted(event) { return nil }
        if ends.isActive { countForEnds(event, at: now) }
        let pair = pair(of: event, event.outcome == .refused ? .refused : .pending, at: time)
        let hash = candidateHash(of: event, addressHash: key.hash(event.source.key))
        var earlier: ProbationRecord?
        let touch = probation.find(event, hash: hash)
        if let touch { earlier = probation.record(at: touch) }
        guard let place = candidate(of: event, pair, after: earlier, hash: hash, at: now) else {
            if let touch {
                if let earlier, now.isWithin(Parameters.rememberedTime, after: earlier.time) { return nil }
                _ = probation.remove(touch)
            }
            probation.insert(event, hash: hash, at: now, realTime: realTime)
            return nil
        }
        if let touch { _ = probation.remove(touch) }
        let isNew = candidates.withEntry(place) { $0.add(pair, of: event, at: time) }
        return isNew ? judge(place, pair, event, isNew: true, hash: hash, at: time) : nil
    }

    private mutating func isWanted(_ event: PairEvent) -> Bool {
        if event.source.isUnspecified || isLocal(event.source) { return false }
        switch event.target {
        case .udp:
            if settings.mayBeClients(port: event.port, of: event.sourcePort) { return false }
            return settings.kinds.contains(.udp) && (event.outcome == .refused || isClosedHere(event))
        case .protocols: return settings.kinds.contains(.protocols)
        case .sctp: return settings.kinds.contains(.sctp)
        case .echo: return settings.kinds.contains(.ping)
        case .ack:
            if event.outcome == .refused { return true }
            return !settings.mayBeClients(port: event.port, of: event.sourcePort) && isClosedHere(event)
        case .tcp, .sweep: return false
        }
    }

    // MARK: Hosts

    /// Whether an address is of a host that is monitored.
    mutating func isLocal(_ address: Address) -> Bool { isLocal(address, hash: key.hash(address)) }

    /// The same, by its hash too.
    private mutating func isLocal(_ address: Address, hash: UInt32) -> Bool {
        settings.isLocal(address) || host.addresses.contains(address, hash: hash)
    }

    /// Whether no socket of the host takes what an event tries. Others get in between a socket's opening and the next
    /// list of sockets.
    private mutating func isClosedHere(_ event: PairEvent) -> Bool {
        if !host.knowsPorts || host.takes(event.port, of: event.target) || !isLocal(event.destination) { return false }
        host.isTriedInVain = true
        return true
    }

    /// Whether a pair is of a port of the host at which a socket takes packets.
    mutating func isOpenHere(_ pair: Pair, _ target: PairClass) -> Bool {
        host.knowsPorts && pair.isLocal && host.takes(pair.port, of: target)
    }

    /// Whether a TCP port counts for any kind. The quick rule by answers counts all.
    private func isCounted(_ pair: Pair) -> Bool { settings.countsAnswers || isTold(pair) }

    /// Whether it can be known later whether a TCP port was open. Where sockets tell that, it can't of those from which
    /// clients are served (passive FTP): their sockets come and go.
    private func isTold(_ pair: Pair) -> Bool {
        !(host.knowsPorts && pair.isLocal) || pair.port < settings.firstClientPort
    }

    // MARK: Pairs

    /// The pair of an event.
    private mutating func pair(of event: PairEvent, _ state: Pair.State, at now: UInt32) -> Pair {
        let tag = key.tag(of: event.destination)
        let isLocal = isLocal(event.destination)
        return Pair(destination: tag | (isLocal ? 0x8000 : 0), port: event.port, state: state, at: now)
    }

    /// The hash of a candidate: of its source and class, of a sweep also the port.
    private func candidateHash(of event: PairEvent, addressHash hash: UInt32) -> UInt32 {
        let hash = event.source.isIPv4 ? hash : key.hash(event.source.prefix)
        switch event.target {
        case .tcp: return hash
        case .sweep: return HashKey.mix(hash, salt: UInt32(event.port) << 8 | UInt32(event.target.rawValue))
        case .ack, .udp, .protocols, .sctp, .echo: return HashKey.mix(hash, salt: UInt32(event.target.rawValue))
        }
    }

    /// What is known of a pair, if its source is a candidate.
    private mutating func stateOf(_ pair: Pair, of event: PairEvent, at now: UInt32) -> Pair? {
        let hash = candidateHash(of: event, addressHash: key.hash(event.source.key))
        guard let place = candidates.find(event, hash: hash, at: now) else {
            return nil
        }
        return candidates.withEntry(place) { $0.pair(like: pair) }
    }

    /// Records what is known of a pair now, wherever it is: with the candidate, with the one of a sweep, or in the
    /// record of a first packet. It never adds one: nobody becomes a candidate by what others send.
    private mutating func mark(_ event: PairEvent, _ state: Pair.State, at now: UInt32) -> KindFound? {
        let pair = pair(of: event, state, at: now)
        let hash = candidateHash(of: event, addressHash: key.hash(event.source.key))
        guard let place = candidates.find(event, hash: hash, at: now) else {
            if state == .open {
                probation.markAccepted(event, hash: event.target == .tcp ? key.hash(event.source) : hash)
            }
            return nil
        }
        if !candidates.withEntry(place, { $0.mark(pair) }) { return nil }
        if event.target != .tcp { return judge(place, pair, event, isNew: false, hash: hash, at: now) }
        if let sweep = markSweep(event, pair, at: now) { return sweep }
        return state == .halfOpen ? judge(place, pair, event, isNew: false, hash: hash, at: now) : nil
    }

    private mutating func markSweep(_ event: PairEvent, _ pair: Pair, at now: UInt32) -> KindFound? {
        var event = event
        event.target = .sweep
        let hash = candidateHash(of: event, addressHash: key.hash(event.source.key))
        guard let place = candidates.find(event, hash: hash, at: now) else {
            return nil
        }
        if !candidates.withEntry(place, { $0.mark(pair) }) { return nil }
        return judge(place, pair, event, isNew: false, hash: hash, at: now)
    }
}

extension Address {
    /// The network of an IPv6 host, its /64.
    var prefix: Address { Address(ipv6High: high, low: 0) }

    /// What candidates are known by: an IPv4 address, the /64 of an IPv6 one.
    var key: Address { isIPv4 ? self : prefix }
}

extension Timestamp {
    /// Milliseconds since the clock's zero, which wrap around after 49 days.
    var milliseconds: UInt32 { UInt32(truncatingIfNeeded: nanoseconds / 1_000_000) }
}
