import CLinux
import ScanCore

/// The bytes of a name that a resolver has returned, which may be any, in fixed memory.
package struct ResolvedName {
    /// The most bytes of a name (RFC 1035, section 2.3.4).
    package static var capacity: Int { 255 }

    private var bytes = InlineArray<256, UInt8>(repeating: 0)  // with the terminating zero
    /// How many there are.
    package private(set) var count = 0

    package init() {}

    /// The first bytes of some text.
    package init(_ text: Span<UInt8>) {
        count = min(text.count, Self.capacity)
        for index in 0..<count { bytes[index] = text[index] }
    }

    /// Lends the bytes.
    package func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(bytes.span.extracting(0..<count))
    }

    /// Lends the name as text of C.
    fileprivate func withText<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe bytes.span.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { preconditionFailure() }
            return unsafe body(start.assumingMemoryBound(to: CChar.self))
        }
    }

    /// Whether it can be the name of a host: letters, digits, dots, hyphens and underscores, of which no dot and no
    /// hyphen comes first, and whose last label is no number. Other bytes have a meaning in shells, logs and rules.
    package var isHostName: Bool {
        if count == 0 || bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: ".") { return false }
        var label = 0
        for index in 0..<count {
            if !HostName.isAllowed(bytes[index]) { return false }
            if index > 0 && bytes[index - 1] == UInt8(ascii: ".") { label = index }
        }
        // The last label is enough: HostName refuses a number there, as inet_aton(3) would read it.
        return HostName(bytes.span.extracting(label..<min(count, label + HostName.longest))) != nil
    }
}

/// The result of a step in the verification of a host's name.
package enum NameClaim: UInt8 {
    /// The host has this name, says whoever has its address. It is not verified yet.
    case claimed = 1
    /// The name has other addresses, is an alias or a number, or can't be a name.
    case mismatch = 2
    /// The name has the address.
    case verified = 3
}

/// Looks up the name of an address, and verifies that it is the name of that address: its owner can make its record point
/// to any name.
///
/// - Parameter report: is given each step: nothing if there is no name; else the name as claimed, then the verdict on it,
///   if there is one.
package func verifyName(of address: Address, _ report: (NameClaim, ResolvedName) -> Void) {
    var text = InlineArray<1025, CChar>(repeating: 0)  // NI_MAXHOST
    var span = text.mutableSpan
    let name: ResolvedName? = unsafe span.withUnsafeMutableBytes { bytes in
        guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
        let failure = unsafe withSocketAddress(address) {
            unsafe getnameinfo($0, $1, start, socklen_t(bytes.count), nil, 0, Int32(NI_NAMEREQD))
        }
        if failure != 0 { return nil }
        let length = unsafe strnlen(start, bytes.count)
        // One that is too long is no name; its beginning shows which.
        return ResolvedName(unsafe UnsafeRawBufferPointer(rebasing: bytes[..<length]).bindMemory(to: UInt8.self).span)
    }
    guard let name else { return }
    report(.claimed, name)
    if let verdict = name.isHostName ? verdict(on: name, of: address) : .mismatch { report(verdict, name) }
}

/// Whether a name is not an alias, and has an address; `nil`: nobody says. PTR records point to canonical names (RFC
/// 2181, section 10.2).
private func verdict(on name: ResolvedName, of address: Address) -> NameClaim? {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = address.isIPv4 ? AF_INET : AF_INET6
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_CANONNAME
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = unsafe name.withText { unsafe getaddrinfo($0, nil, &hints, &list) }
    if failure != 0 { return nil }
    guard let canonical = unsafe list?.pointee.ai_canonname,
        unsafe name.withText({ unsafe strcasecmp($0, canonical) == 0 || strcasecmp($0, "localhost") == 0 })
    else { return .mismatch }
    var next = unsafe list  // not freed: the process ends
    while let entry = unsafe next {
        if unsafe isSame(entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen), address) { return .verified }
        unsafe next = entry.pointee.ai_next
    }
    return .mismatch
}
