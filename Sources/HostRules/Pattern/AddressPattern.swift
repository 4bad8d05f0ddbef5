import ScanCore

/// What a word says of an address alone, without a name.
enum AddressPattern {
    case all
    case net(UInt32, mask: UInt32)
    case prefix(Address, length: Int)
    /// The word has wildcards, and is compared with the address as it is printed.
    case wildcards
    /// It needs a name, or can't match.
    case refused(RuleProblem.Kind)

    /// The meaning of a word that is not the path of a file.
    init(_ word: Span<UInt8>) {
        switch HostPattern(word) {
        case .all: self = .all
        case .known, .local, .netgroup, .file: self = .refused(.needsName)
        case .never(let kind): self = .refused(kind)
        case .net(let net, let mask): self = .net(net, mask: mask)
        case .prefix(let address, let length):
            if word.contains(UInt8(ascii: "%")) {
                self = .refused(.zone)
            } else if length > 96 && address.unmapped.isIPv4 {
                self = .refused(.mappedIPv4)
            } else {
                self = .prefix(address, length: length)
            }
        case .text: self = Self.text(word)
        }
    }

    private static func text(_ word: Span<UInt8>) -> AddressPattern {
        if word.isNoHost && !word.isNumeric { return .refused(.noHost) }
        if word.hasWildcard {
            if word.matchesEverything { return .all }
            return word.addressWithWildcardsFault.map { .refused($0) } ?? .wildcards
        }
        if word[0] == UInt8(ascii: ".") { return .refused(word.isNumeric ? .numberBeginsWithDot : .needsName) }
        if word.isNumeric {
            guard let (net, mask) = word.numericNet() else { return .refused(.notAnAddress) }
            return .net(net, mask: mask)
        }
        guard let address = word.ipv6Address() else { return .refused(.needsName) }
        // Without brackets it is text, and only one way to write an address is how it is printed.
        let isPrinted = FixedName(address).withBytes { $0.isSame(as: word) }
        return isPrinted && !address.unmapped.isIPv4 ? .prefix(address, length: 128) : .refused(.bareIPv6)
    }
}

extension Span<UInt8> {
    /// Whether it is wildcards that match everything.
    var matchesEverything: Bool {
        for index in indices where self[index] != UInt8(ascii: "*") { return false }
        return true
    }

    /// What keeps text with wildcards from describing addresses of one family: what stands in names, where letters only
    /// count as digits beside a colon; neither a dot nor a colon; or a number that stands in no address.
    fileprivate var addressWithWildcardsFault: RuleProblem.Kind? {
        let isIPv6 = contains(UInt8(ascii: ":"))
        for index in indices {
            let byte = self[index]
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "."), UInt8(ascii: ":"): continue
            default: if isIPv6 ? byte.hexadecimalValue == nil : !byte.isDigit { return .needsName }
            }
        }
        if !isIPv6 && !contains(UInt8(ascii: ".")) { return .noFamily }
        var start = 0
        for _ in 0..<(isIPv6 ? 8 : 4) {
            let end = firstIndex(of: UInt8(ascii: isIPv6 ? ":" : "."), from: start) ?? count
            let part = extracting(start..<end)
            if isIPv6 ? !part.mayBeGroup : !part.mayBeOctet { return .notAnAddress }
            if end == count { return nil }
            start = end + 1
        }
        return .notAnAddress
    }

    /// Whether it may stand between the dots of an IPv4 address: wildcards may also stand for dots.
    private var mayBeOctet: Bool {
        if hasWildcard { return true }
        guard let octet = decimal(limit: 256), octet < 256 else { return false }
        return count == 1 || self[0] != UInt8(ascii: "0")
    }

    /// Whether it may stand between the colons of an IPv6 address.
    private var mayBeGroup: Bool {
        if isEmpty || hasWildcard || contains(UInt8(ascii: ".")) { return true }
        return count == 1 || count <= 4 && self[0] != UInt8(ascii: "0")
    }

    /// The IPv4 addresses that text of digits and dots describes: one, or those that begin with it if a dot ends it.
    /// `nil`: no address is printed like that.
    func numericNet() -> (net: UInt32, mask: UInt32)? {
        if let address = ipv4Address() { return (address, .max) }
        if isEmpty || self[count - 1] != UInt8(ascii: ".") { return nil }
        var dots = 0
        for index in indices where self[index] == UInt8(ascii: ".") { dots += 1 }
        if dots > 3 { return nil }
        var whole = LogLine()
        for index in indices { whole.append(byte: self[index]) }
        for index in dots..<4 { whole.append(index < 3 ? "0." : "0") }
        guard let net = whole.bytes.span.extracting(0..<whole.count).ipv4Address() else { return nil }
        return (net, .max << UInt32(32 - dots * 8))
    }
}
