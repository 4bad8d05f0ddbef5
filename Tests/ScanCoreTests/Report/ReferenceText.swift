/// Addresses as text, a second time and another way: every form that RFC 5952 could allow is made, and the one it
/// demands is picked.
enum ReferenceText {
    /// Four bytes in dotted decimal.
    static func ipv4(_ value: UInt32) -> String {
        value.octets.map { String($0) }.joined(separator: ".")
    }

    /// Eight groups.
    static func ipv6(_ groups: [UInt16]) -> String {
        if groups.prefix(6) == [0, 0, 0, 0, 0, 0xffff] {
            return "::ffff:" + ipv4(UInt32(groups[6]) << 16 | UInt32(groups[7]))
        }
        func join(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        for length in stride(from: 8, to: 1, by: -1) {  // the longest run first, and of those the first
            for start in 0...8 - length where groups[start..<start + length].allSatisfy({ $0 == 0 }) {
                return join(groups[..<start]) + "::" + join(groups[(start + length)...])
            }
        }
        return join(groups[...])
    }
}
