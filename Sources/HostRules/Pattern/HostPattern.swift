import ScanCore

/// What a word of a client list says about a host.
enum HostPattern {
    case all
    case known
    case local
    /// `@name`: there are no netgroups here, so it never matches.
    case netgroup
    /// `/path`: the words of that file.
    case file
    /// A net and a mask of IPv4: the address under the mask is the net.
    case net(UInt32, mask: UInt32)
    /// The first bits of an IPv6 address, 0 to 128.
    case prefix(Address, length: Int)
    /// Text to compare with the address as it is printed, and with the name.
    case text
    /// It can't match, whatever the host.
    case never(RuleProblem.Kind)

    /// The meaning of a word.
    init(_ word: Span<UInt8>) {
        if word.isEmpty {
            self = .never(.emptyHost)
        } else if word[0] == UInt8(ascii: "@") {
            self = .netgroup
        } else if word[0] == UInt8(ascii: "/") {
            self = .file
        } else if word.equalsIgnoringCase("all") {
            self = .all
        } else if word.equalsIgnoringCase("known") {
            self = .known
        } else if word.equalsIgnoringCase("local") {
            self = .local
        } else if word[0] == UInt8(ascii: "[") {
            self = Self.bracketed(word)
        } else if let slash = word.firstIndex(of: UInt8(ascii: "/")) {
            self = Self.net(word.extracting(0..<slash), mask: word.extracting((slash + 1)...))
        } else {
            self = .text
        }
    }

    /// `net/mask` or `net/length`.
    private static func net(_ net: Span<UInt8>, mask: Span<UInt8>) -> HostPattern {
        guard let net = net.inetAddress() else { return .never(.badNet) }
        if let mask = mask.inetAddress() {
            return net & ~mask == 0 ? .net(net, mask: mask) : .never(.hostBits)
        }
        if mask.isEmpty { return .never(.emptyLength) }
        if mask.ipv4Address() == .max { return .never(.hostMask) }
        guard let length = mask.decimal(limit: 33), length <= 32 else { return .never(.badLength) }
        if length == 0 { return .never(.zeroLength) }
        let bits = UInt32.max << UInt32(32 - length)
        return net & ~bits == 0 ? .net(net, mask: bits) : .never(.hostBits)
    }

    /// `[address]` or `[address]/length`.
    private static func bracketed(_ word: Span<UInt8>) -> HostPattern {
        guard let end = word.firstIndex(of: UInt8(ascii: "]")) else { return .never(.openBracket) }
        let inside = word.extracting(1..<end)
        if end + 1 == word.count {
            // A zone is not compared: no address comes with one here.
            let zone = inside.firstIndex(of: UInt8(ascii: "%"))
            let text = zone == inside.count - 1 ? inside : inside.extracting(0..<(zone ?? inside.count))
            if let address = text.ipv6Address() { return exact(address) }
            if inside.contains(UInt8(ascii: "/")) { return .never(.lengthInBrackets) }
            return .never(inside.ipv4Address() == nil ? .badIPv6 : .bracketedIPv4)
        }
        if word[end + 1] != UInt8(ascii: "/") { return .never(.afterBracket) }
        guard let address = inside.ipv6Address() else {
            return .never(inside.ipv4Address() == nil ? .badIPv6 : .bracketedIPv4)
        }
        let digits = word.extracting((end + 2)...)
        if digits.isEmpty { return .never(.emptyLengthOfIPv6) }
        guard let length = digits.decimal(limit: 129), length <= 128 else { return .never(.badLength) }
        return .prefix(address, length: length)
    }

    private static func exact(_ address: Address) -> HostPattern {
        address.unmapped.isIPv4 ? .never(.mappedIPv4) : .prefix(address, length: 128)
    }
}

extension Address {
    /// The address with only so many of its first bits, 0 to 128, left.
    func masked(to length: Int) -> Address {
        // Swift's shifts by 64 and more give 0.
        Address(ipv6High: high & ~(UInt64.max >> length), low: low & ~(UInt64.max >> (max(length, 64) - 64)))
    }

    /// Whether a net holds this address. 255.255.255.255 is in none, as the call that reads it takes it for an error.
    func isIn(_ net: UInt32, mask: UInt32) -> Bool {
        isIPv4 && low != 0xffff_ffff && UInt32(truncatingIfNeeded: low) & mask == net  // the upper half is 0
    }

    /// Whether this is an IPv6 address of which the first bits are those of another.
    func isIn(_ other: Address, length: Int) -> Bool {
        !isIPv4 && masked(to: length) == other.masked(to: length)
    }
}

extension Span<UInt8> {
    /// Whether it is an address in brackets, without a length. libwrap compares what is none of the client's also with its
    /// name, which it looks up for that, and then logs: so it is looked up here too.
    var isBracketed: Bool { count > 0 && self[0] == UInt8(ascii: "[") && !contains(UInt8(ascii: "/")) }

    /// Whether an IPv4 net, which a slash ends, or its mask has a number that is octal or hexadecimal.
    var hasOtherBase: Bool {
        guard let slash = firstIndex(of: UInt8(ascii: "/")) else { return false }
        let mask = extracting((slash + 1)...)
        return extracting(0..<slash).hasDigitsBehindZero
            || mask.contains(UInt8(ascii: ".")) && mask.hasDigitsBehindZero
    }

    /// Whether a part between dots begins with 0 and goes on with something else: zeros alone are 0 in any base.
    private var hasDigitsBehindZero: Bool {
        var isBehindZero = false
        var isFirst = true
        for index in indices {
            let isZero = self[index] == UInt8(ascii: "0")
            if self[index] == UInt8(ascii: ".") {
                isFirst = true
                isBehindZero = false
            } else if isFirst {
                isFirst = false
                isBehindZero = isZero
            } else if isBehindZero && !isZero {
                return true
            }
        }
        return false
    }
}

/// How a word is compared with a text: a name, an address as it is printed, a daemon, a user.
extension Span<UInt8> {
    /// Whether a text is what this word says.
    func describes(_ text: Span<UInt8>, _ work: inout MatchBudget) -> Bool {
        work.steps += 1
        if isEmpty { return false }
        if hasWildcard { return matches(text, &work) }
        work.steps += count
        if self[0] == UInt8(ascii: ".") { return text.count > count && text.has(self, at: text.count - count) }
        if equalsIgnoringCase("all") { return true }
        if equalsIgnoringCase("known") { return !text.equalsIgnoringCase("unknown") }
        if self[count - 1] == UInt8(ascii: ".") { return text.has(self, at: 0) }
        return text.isSame(as: self)
    }
}
