import ScanCore

/// Which words match all that others can. What is found is true; not all that is true is found.
enum SubsumptionKind {
    case daemons, clients
}

/// A word of a rule that may hide others, in a form that is compared with a word in few steps.
enum SubsumingPattern {
    case all
    /// An IPv4 net. That of digits and a mask has no 255.255.255.255.
    case net(UInt32, mask: UInt32, hasBroadcast: Bool)
    /// The first bits of an IPv6 address.
    case prefix(high: UInt64, low: UInt64, length: UInt8)
    /// Where in the text of the rule it stands: wildcards, or a dot at an end.
    case text(start: UInt8, count: UInt8)
    /// Any other word: it hides only the same, which has this fingerprint.
    case word(UInt64)

    /// The form of a word; `nil`: there is no room for its text.
    init?(_ whole: Span<UInt8>, of kind: SubsumptionKind, _ text: inout SubsumingText) {
        guard let range = whole.unrestricted(of: kind) else {
            self = .word(whole.fingerprint)
            return
        }
        let word = whole.extracting(range)
        let isText: Bool
        switch kind {
        case .daemons:
            if word.equalsIgnoringCase("all") || word.matchesEverything {
                self = .all
                return
            }
            isText = !word.isPort && !word.isPlain
        case .clients:
            switch AddressPattern(word) {
            case .all:
                self = .all
                return
            case .net(let net, let mask):
                self = .net(net, mask: mask, hasBroadcast: !word.contains(UInt8(ascii: "/")))
                return
            case .prefix(let address, let length):
                self = .prefix(high: address.high, low: address.low, length: UInt8(length))
                return
            case .wildcards: isText = true
            case .refused:
                if case .text = HostPattern(word) {
                    isText = !word.isNumeric && !word.isPlain
                } else {
                    isText = false
                }
            }
        }
        if !isText {
            self = .word(word.fingerprint)
        } else if let start = text.add(word) {
            self = .text(start: UInt8(start), count: UInt8(word.count))
        } else {
            return nil
        }
    }

    /// Whether it may hide words that are not the same.
    var isWide: Bool {
        switch self {
        case .all, .text: true
        case .net(_, let mask, _): mask != .max
        case .prefix(_, _, let length): length < 128
        case .word: false
        }
    }

    /// Whether it matches whatever a word can. `text` is that of the rule it stands in.
    func covers(_ word: Span<UInt8>, _ covered: SubsumedWord, _ text: Span<UInt8>, _ work: inout MatchBudget) -> Bool {
        switch self {
        case .all: return true
        case .word(let fingerprint): return fingerprint == covered.whole || fingerprint == covered.part
        case .net(let net, let mask, let hasBroadcast):
            guard case .net(let other, let otherMask) = covered.address else { return false }
            if mask & otherMask != mask || other & mask != net { return false }
            return hasBroadcast || !covered.isPrinted || other | ~otherMask != .max
        case .prefix(let high, let low, let length):
            guard case .prefix(let other, let otherLength) = covered.address else { return false }
            return Int(length) <= otherLength && other.isIn(Address(ipv6High: high, low: low), length: Int(length))
        case .text(let start, let count):
            let pattern = text.extracting(Int(start)..<Int(start) + Int(count))
            return covered.isCovered(by: pattern, word.extracting(covered.range), &work)
        }
    }
}

/// The texts of the words of one rule.
struct SubsumingText {
    private(set) var bytes = InlineArray<64, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Keeps a word, and returns where; `nil`: there is no room.
    mutating func add(_ word: Span<UInt8>) -> Int? {
        if word.count > bytes.count - count { return nil }
        let start = count
        for index in word.indices { bytes[start + index] = word[index] }
        count += word.count
        return start
    }
}

/// What is known of a word that earlier ones may hide.
struct SubsumedWord {
    let kind: SubsumptionKind
    /// The fingerprint of the word.
    let whole: UInt64
    /// The daemon without the server, or the host without the user: where it stands, and its fingerprint. What hides it
    /// hides the word.
    let range: Range<Int>
    let part: UInt64
    /// What it says of an address.
    let address: AddressPattern
    /// Whether it is compared with addresses as they are printed.
    let isPrinted: Bool
    /// Whether it describes only the name that it is.
    let isPlainName: Bool

    init(_ word: Span<UInt8>, of kind: SubsumptionKind) {
        self.kind = kind
        whole = word.fingerprint
        let at = word.atSign
        range = kind == .daemons ? 0..<(at ?? word.count) : (at.map { $0 + 1 } ?? 0)..<word.count
        let part = word.extracting(range)
        self.part = at == nil ? whole : part.fingerprint
        isPrinted = !part.contains(UInt8(ascii: "/"))
        switch kind {
        case .daemons:
            address = .refused(.needsName)
            isPlainName = part.isPlain && !part.isPort
        case .clients:
            address = part.isEmpty ? .refused(.emptyHost) : AddressPattern(part)
            if case .text = HostPattern(part) {
                isPlainName = part.isPlain && !part.isNumeric
            } else {
                isPlainName = false
            }
        }
    }

    /// Whether a pattern with wildcards, or with a dot at an end, matches whatever the part can.
    fileprivate func isCovered(by pattern: Span<UInt8>, _ part: Span<UInt8>, _ work: inout MatchBudget) -> Bool {
        work.steps += pattern.count
        if pattern.isSame(as: part) { return true }
        if isPlainName { return pattern.describes(part, &work) }
        if kind == .daemons || part.hasWildcard { return false }
        if pattern.hasWildcard {
            guard case .net(let address, .max) = address else { return false }
            return FixedName(Address(ipv4: address)).withBytes { pattern.matches($0, &work) }
        }
        // A domain in a domain.
        let dot = UInt8(ascii: ".")
        return pattern[0] == dot && !part.isEmpty && part[0] == dot && !part.isNumeric
            && part.has(pattern, at: part.count - pattern.count)
    }
}

extension Span<UInt8> {
    /// The part of a word that says all: without ALL for the server, or for the user; `nil`: one of them is restricted.
    fileprivate func unrestricted(of kind: SubsumptionKind) -> Range<Int>? {
        guard let at = atSign else { return indices }
        let other = kind == .daemons ? extracting((at + 1)...) : extracting(0..<at)
        if !other.equalsIgnoringCase("all") { return nil }
        let part = kind == .daemons ? 0..<at : at + 1..<count
        return part.isEmpty ? nil : part
    }

    /// Whether it is a port number.
    fileprivate var isPort: Bool { (decimal(limit: 65536) ?? 65536) < 65536 }

    /// Whether it describes only the text that it is.
    fileprivate var isPlain: Bool {
        let dot = UInt8(ascii: ".")
        return !isEmpty && !hasWildcard && self[0] != dot && self[count - 1] != dot && !equalsIgnoringCase("all")
            && !equalsIgnoringCase("known")
            && !equalsIgnoringCase("unknown") && !equalsIgnoringCase("paranoid") && !equalsIgnoringCase("local")
    }
}
