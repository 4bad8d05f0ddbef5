import CLinux
import ScanCore

/// How long the C library's resolver waits for a name server before it asks the next, in nanoseconds: the minimum that
/// can be set, by the option below.
private var serverPatience: Int64 { 1_000_000_000 }

/// Clears the environment, from which the C library's resolver reads more than it should, and sets its timeout so that
/// it asks a second name server, if there is one, within the time of a lookup.
package func prepareResolver(options: CString = "timeout:1") {
    _ = clearenv()
    _ = unsafe setenv("RES_OPTIONS", options.pointer, 1)
}

/// Makes the C library load the modules for lookups, so that the processes forked for lookups have them.
package func loadResolver() {
    _ = name(of: Address(ipv4: 0x7f00_0001))
}

/// The name of an address from the C library, if a lookup of the name yields the address again: the owner of an address
/// can make its record point to any name.
package func forwardConfirmedName(of address: Address) -> HostName? {
    let start = Timestamp.now()
    guard let name = name(of: address) else { return nil }
    // A name server that did not answer would not answer the second query either, and there is no time left to wait for
    // it.
    if !Timestamp.now().isWithin(serverPatience, after: start) { clinux_ask_next_name_server() }
    return has(name, address) ? name : nil
}

private func name(of address: Address) -> HostName? {
    var text = InlineArray<1025, CChar>(repeating: 0)  // NI_MAXHOST
    var span = text.mutableSpan
    return unsafe span.withUnsafeMutableBytes { bytes in
        guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
        let failure = unsafe withSocketAddress(address) {
            unsafe getnameinfo($0, $1, start, socklen_t(bytes.count), nil, 0, Int32(NI_NAMEREQD))
        }
        if failure != 0 { return nil }
        let length = unsafe strnlen(start, bytes.count)
        return HostName(unsafe UnsafeRawBufferPointer(rebasing: bytes[..<length]).bindMemory(to: UInt8.self).span)
    }
}

/// Whether an address is among those of a name.
private func has(_ name: HostName, _ address: Address) -> Bool {
    var text = InlineArray<129, CChar>(repeating: 0)  // with the terminating zero
    for index in 0..<name.count { text[index] = CChar(bitPattern: name[index]) }
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = address.isIPv4 ? AF_INET : AF_INET6
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)  // otherwise each address is listed three times
    var list: UnsafeMutablePointer<addrinfo>?
    let span = text.span
    let failure = unsafe span.withUnsafeBufferPointer {
        unsafe getaddrinfo($0.baseAddress, nil, &hints, &list)
    }
    if failure != 0 { return false }
    var next = unsafe list  // not freed: the process ends
    while let entry = unsafe next {
        if unsafe isSame(entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen), address) { return true }
        unsafe next = entry.pointee.ai_next
    }
    return false
}

@unsafe func isSame(_ found: UnsafePointer<sockaddr>?, _ length: Int, _ address: Address) -> Bool {
    guard let found = unsafe found else { return false }
    return unsafe withSocketAddress(address) { wanted, size in
        if unsafe length != Int(size) || found.pointee.sa_family != wanted.pointee.sa_family { return false }
        let start = address.isIPv4 ? 4 : 8
        let count = address.isIPv4 ? 4 : 16
        return unsafe memcmp(
            UnsafeRawPointer(found) + start, UnsafeRawPointer(wanted) + start, count) == 0
    }
}

/// Lends an address as a socket address.
func withSocketAddress<Result>(
    _ address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var storage = sockaddr_in6()
    return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
        let family = sa_family_t(address.isIPv4 ? AF_INET : AF_INET6)
        unsafe bytes.storeBytes(of: family, as: sa_family_t.self)
        if address.isIPv4 {
            unsafe bytes.storeBytes(
                of: UInt32(truncatingIfNeeded: address.low).bigEndian, toByteOffset: 4, as: UInt32.self)
        } else {
            unsafe bytes.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
            unsafe bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        }
        let size = address.isIPv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        guard let start = bytes.baseAddress else { preconditionFailure() }
        return unsafe body(start.assumingMemoryBound(to: sockaddr.self), socklen_t(size))
    }
}
