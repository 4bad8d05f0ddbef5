import CLinux
import ScanCore

/// Parses a network from the command line: an address, and after a slash how many of its first bits all addresses share.
/// Without the slash, it is that address alone.
///
/// - Throws: an error if it is none.
package func parseNetwork(_ text: CString) throws(SystemError) -> (address: Address, prefixLength: UInt8) {
    var address = InlineArray<64, CChar>(repeating: 0)
    var length = 0
    var prefixLength: Int?
    let isSound = text.withBytes { text in
        for index in text.indices {
            let byte = text[index]
            if let known = prefixLength {
                if byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") || known > 128 { return false }
                prefixLength = known * 10 + Int(byte - UInt8(ascii: "0"))
                if index == text.count - 2 && known == 0 && byte == UInt8(ascii: "0") { return false }
            } else if byte == UInt8(ascii: "/") {
                if index == text.count - 1 { return false }
                prefixLength = 0
            } else {
                if length == address.count - 1 { return false }
                address[length] = CChar(bitPattern: byte)
                length += 1
            }
        }
        return true
    }
    if isSound, let parsed = parseAddress(&address) {
        let most = parsed.isIPv4 ? 32 : 128
        if prefixLength ?? most <= most { return (parsed, UInt8(prefixLength ?? most)) }
    }
    throw SystemError(text, "network", because: "must be an address, or one with /LENGTH")
}

/// The address in a C string (inet_pton(3)), or `nil`.
private func parseAddress(_ text: inout InlineArray<64, CChar>) -> Address? {
    var bytes = InlineArray<16, UInt8>(repeating: 0)
    var text = text.mutableSpan
    var target = bytes.mutableSpan
    let family = unsafe text.withUnsafeMutableBufferPointer { text -> Int32 in
        unsafe target.withUnsafeMutableBytes { target -> Int32 in
            guard let text = text.baseAddress, let target = target.baseAddress else { return 0 }
            if unsafe inet_pton(AF_INET, text, target) == 1 { return AF_INET }
            return unsafe inet_pton(AF_INET6, text, target) == 1 ? AF_INET6 : 0
        }
    }
    do throws(PacketFault) {
        switch family {
        case AF_INET: return Address(ipv4: try bytes.span.uint32(at: 0))
        case AF_INET6: return Address(ipv6High: try bytes.span.uint64(at: 0), low: try bytes.span.uint64(at: 8))
        default: return nil
        }
    } catch {
        return nil
    }
}
