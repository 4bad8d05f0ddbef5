/// What always holds of the tables of the other kinds: for tests, which check it after every step.
extension CandidateTable {
    /// The first violated invariant, or `nil`.
    ///
    /// Each candidate is in the set that its hash leads to, with its tag, and is the only one of its source and class; of
    /// a sweep, also of its port. What holds of each by itself is at ``Candidate/fault``.
    mutating func fault(key: HashKey) -> String? {
        for set in 0..<setCount {
            for way in 0..<8 {
                if let fault = fault(set: set, way: way, key) { return fault }
            }
        }
        return nil
    }

    private mutating func fault(set: Int, way: Int, _ key: HashKey) -> String? {
        let candidate = entries[set][way]
        if !candidate.isUsed { return tags[set][way] == 0 ? nil : "a free place has a tag" }
        if let fault = candidate.fault { return fault }
        let hash = candidate.hash(key)
        if Self.set(hash) != set { return "a candidate is in a set that its hash does not lead to" }
        if Self.tag(hash) != tags[set][way] { return "a candidate's tag is that of another hash" }
        for other in 0..<way where entries[set][other].isOf(candidate.event) {
            return "a source is a candidate twice"
        }
        return nil
    }
}

extension Candidate {
    /// The hash by which it is found.
    func hash(_ key: HashKey) -> UInt32 {
        let hash = key.hash(event.source)
        switch target {
        case .tcp: return hash
        case .sweep: return HashKey.mix(hash, salt: UInt32(pairs[0].port) << 8 | UInt32(target.rawValue))
        case .ack, .udp, .protocols, .sctp, .echo: return HashKey.mix(hash, salt: UInt32(target.rawValue))
        }
    }

    /// An event of its source, or its /64, and its class and first port.
    fileprivate var event: PairEvent {
        let isIPv4 = marks.isIPv4
        let source =
            isIPv4
            ? Address(ipv4: UInt32(truncatingIfNeeded: sourceLow)) : Address(ipv6High: sourceHigh, low: 0)
        return PairEvent(target, .tried, by: source, at: source, port: pairs[0].port)
    }

    /// The first violated invariant of one in use, or `nil`.
    var fault: String? { faultOfPairs ?? faultOfSource ?? faultOfTimes ?? faultOfReport }

    /// The pairs are different ones, and nothing is behind the last. Those of a sweep are of one port, of a ping of none.
    private var faultOfPairs: String? {
        let known = pairs.span
        if pairCount < 1 || Int(pairCount) > known.count { return "a candidate has no pairs, or too many" }
        if runStart > Int(pairCount) { return "a candidate's last pause is behind its last pair" }
        for index in known.indices {
            let pair = known[index]
            if index >= Int(pairCount) {
                if !pair.isUnused { return "there is a pair behind a candidate's last" }
                continue
            }
            for other in 0..<index where known[other].isSame(as: pair) { return "a candidate has a pair twice" }
            switch target {
            case .sweep: if pair.port != known[0].port { return "a sweep is of two ports" }
            case .echo: if pair.port != 0 { return "a ping has a port" }
            case .protocols: if pair.port > 255 { return "a protocol has a number above 255" }
            case .tcp, .ack, .udp, .sctp: break
            }
        }
        return nil
    }

    /// An IPv4 address has 32 bits, and no others beside it; the others of a /64 are different ones, from the first place
    /// on. The quick rule marks candidates for TCP ports only.
    private var faultOfSource: String? {
        if marks.isIPv4 && (sourceHigh != 0 || sourceLow > UInt64(UInt32.max)) {
            return "a candidate's IPv4 address has more than 32 bits"
        }
        if sourceHigh | sourceLow == 0 { return "a candidate is nobody" }
        for index in 0..<3 {
            let tag = otherAddresses[index]
            if tag == 0 { continue }
            if marks.isIPv4 { return "a candidate of IPv4 has other addresses" }
            if tag > 0x8000 { return "a candidate's other address has no tag of 15 bits" }
            for before in 0..<index where otherAddresses[before] == tag || otherAddresses[before] == 0 {
                return "a candidate's other addresses have a gap, or one twice"
            }
        }
        return nil
    }

    private var faultOfTimes: String? {
        let lasted = Int32(bitPattern: last &- first)
        let isPossible = lasted >= 0 && lasted <= Parameters.longestDuration
        return isPossible ? nil : "a candidate ends before it begins, or lasts too long"
    }

    private var faultOfReport: String? {
        if !marks.isReported {
            if marks.isReportedAsQuick { return "a candidate was reported as quick and not at all" }
            if suppression.isSuppressed { return "a candidate's report was suppressed and never made" }
        }
        if marks.isReportedAsQuick && target != .tcp { return "a candidate of another class was reported as quick" }
        let noneSeen = flagsEverSet == .none && flagsAlwaysSet == .all
        if !noneSeen && !flagsEverSet.contains(flagsAlwaysSet) { return "a flag was always set and never" }
        return nil
    }
}

extension PrefixIndex {
    /// Whether the index was never used.
    var isFresh: Bool {
        mutating get {
            for set in 0..<setCount {
                for line in 0..<4 {
                    for number in 0..<16 where sets[set][line][number] != 0 { return false }
                }
            }
            return true
        }
    }

    /// The first violated invariant, or `nil`, as long as a log has not begun more records than slots can number.
    ///
    /// Each slot leads to the first segment of a host in a /64 that its line and fingerprint are those of, or to none any
    /// more; the youngest is the first of its line.
    mutating func fault<let lineCount: Int>(of log: inout ProbationLog<lineCount>, key: HashKey) -> String? {
        for line in 0..<setCount * 4 {
            var youngest = -1
            for number in 0..<16 {
                let slot = sets[line >> 2][line & 3][number]
                guard slot != 0, let age = log.age(of: slot) else { continue }
                if age <= youngest { return "a line of prefixes is out of order" }
                youngest = age
                guard let record = log.record(in: slot), record.isUsed else { continue }
                if record.source.isIPv4 || !record.isOf(record.source) {
                    return "a prefix leads to another record than an IPv6 segment's"
                }
                let hash = key.hash(record.source.prefix)
                if Int(hash) & (setCount * 4 - 1) != line || hash >> 20 != slot & ProbationIndex.fingerprintMask {
                    return "a prefix leads to a record of another one"
                }
            }
        }
        return nil
    }
}

extension ClientPorts {
    /// Whether the table was never used.
    var isFresh: Bool {
        mutating get {
            for set in 0..<setCount {
                for number in 0..<32 where sets[set][number] != 0 { return false }
            }
            return true
        }
    }

    /// The first violated invariant, or `nil`: a tag is odd, once among the places that it may be in, and before
    /// the free ones.
    var fault: String? {
        mutating get {
            for set in 0..<setCount {
                for number in 0..<32 where sets[set][number] != 0 {
                    let tag = sets[set][number]
                    if tag & 1 == 0 { return "a client's tag is even" }
                    for other in number & ~3..<number {
                        if sets[set][other] == tag { return "a client is known twice" }
                        if sets[set][other] == 0 { return "a client is behind a free place" }
                    }
                }
            }
            return nil
        }
    }
}
