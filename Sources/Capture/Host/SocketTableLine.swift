/// Parses a line of /proc/net/tcp, tcp6, udp or udp6 (proc(5)): the number of the line, both addresses and ports, the
/// state, and more that does not matter. The numbers but the first are hexadecimal.
///
///        1: 0100007F:0035 00000000:0000 0A
struct SocketTableLine {
    /// The longest part of a line that is read, in bytes: with addresses of IPv6 and a number of 32 bits.
    static let longest = 96

    private var offset = 0

    private init() {}

    /// The socket that a line describes, `nil` if the line is not of that form.
    ///
    /// - Parameter line: the line without its end, or at least the first ``longest`` bytes.
    static func socket(in line: Span<UInt8>) -> ListedSocket? {
        var cursor = SocketTableLine()
        cursor.skipSpaces(line)
        if !cursor.skipNumber(line) || !cursor.skipSpaces(line) { return nil }
        guard let port = cursor.takePort(line), cursor.skipSpaces(line),
            cursor.takePort(line) != nil, cursor.skipSpaces(line),
            let state = cursor.takeHexadecimal(line, digits: 2), cursor.isAtEndOfField(line)
        else { return nil }
        return ListedSocket(port: port, state: UInt8(truncatingIfNeeded: state))  // two digits are 8 bits
    }

    /// Returns whether there was a space.
    @discardableResult
    private mutating func skipSpaces(_ line: Span<UInt8>) -> Bool {
        let start = offset
        while offset < line.count && line[offset] == UInt8(ascii: " ") { offset += 1 }
        return offset > start
    }

    /// Skips decimal digits and a colon.
    private mutating func skipNumber(_ line: Span<UInt8>) -> Bool {
        let start = offset
        while offset < line.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[offset]) { offset += 1 }
        return offset > start && skipColon(line)
    }

    private mutating func skipColon(_ line: Span<UInt8>) -> Bool {
        if offset >= line.count || line[offset] != UInt8(ascii: ":") { return false }
        offset += 1
        return true
    }

    /// The port behind an address of 32 or 128 bits and a colon.
    private mutating func takePort(_ line: Span<UInt8>) -> UInt16? {
        let start = offset
        while offset < line.count && SocketTableLine.digit(line[offset]) != nil { offset += 1 }
        if offset - start != 8 && offset - start != 32 || !skipColon(line) { return nil }
        return takeHexadecimal(line, digits: 4)
    }

    /// A number of exactly so many hexadecimal digits, at most four.
    private mutating func takeHexadecimal(_ line: Span<UInt8>, digits: Int) -> UInt16? {
        if line.count - offset < digits { return nil }
        var value: UInt16 = 0
        for _ in 0..<digits {
            guard let digit = SocketTableLine.digit(line[offset]) else { return nil }
            value = value << 4 | digit
            offset += 1
        }
        return value
    }

    private func isAtEndOfField(_ line: Span<UInt8>) -> Bool {
        offset == line.count || line[offset] == UInt8(ascii: " ")
    }

    private static func digit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        default: nil
        }
    }
}
