/// A host name that is safe to print in a line instead of the address.
///
/// The owner of an address controls its name. So a name may hold only letters, digits, dots, hyphens and underscores,
/// which no reader of the line takes for a separator, and it can't be read as an address. An all-zero value is a name
/// of length 0, which marks an unused entry.
public struct HostName: Equatable, Sendable {
    /// The maximum length of a name in bytes. DNS allows twice as much, which makes unreadable lines.
    public static let longest = 128

    private var bytes = InlineArray<128, UInt8>(repeating: 0)
    private var length: UInt8 = 0

    /// The empty name of an unused entry.
    init() {}

    /// Creates a name from bytes. Returns `nil` unless there are 1 to ``longest`` allowed bytes, the first is neither
    /// hyphen nor dot, and the last label is not a number, which inet_aton(3) reads as an address or the end of one.
    public init?(_ text: Span<UInt8>) {
        if text.isEmpty || text.count > HostName.longest { return nil }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: ".") { return nil }
        var label = 0
        for index in text.indices {
            if !HostName.isAllowed(text[index]) { return nil }
            if index > 0 && text[index - 1] == UInt8(ascii: ".") { label = index }
            bytes[index] = text[index]
        }
        if HostName.isNumber(text.extracting(label...)) { return nil }
        length = UInt8(text.count)
    }

    /// The length in bytes.
    public var count: Int { Int(length) }

    /// One of the bytes, the first being 0.
    public subscript(index: Int) -> UInt8 { bytes[index] }

    /// Whether two names have the same bytes. The comparison is case-sensitive.
    public static func == (one: HostName, other: HostName) -> Bool {
        for index in 0..<longest where one.bytes[index] != other.bytes[index] { return false }
        return one.length == other.length
    }

    /// Whether a byte may be in a name.
    public static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Whether a label, with an optional final dot, is all decimal digits, or hexadecimal digits after `0x`.
    private static func isNumber(_ label: Span<UInt8>) -> Bool {
        let isHexadecimal = label.count > 1 && label[0] == UInt8(ascii: "0") && lowerCase(label[1]) == UInt8(ascii: "x")
        for index in label.indices.dropFirst(isHexadecimal ? 2 : 0) {
            switch lowerCase(label[index]) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "a")...UInt8(ascii: "f") where isHexadecimal: break
            case UInt8(ascii: ".") where index == label.count - 1: break
            default: return false
            }
        }
        return true
    }

    private static func lowerCase(_ byte: UInt8) -> UInt8 { byte | 0x20 }  // changes letters only, not digits or dots
}

extension LogLine {
    /// Appends a host's name.
    @inline(never)
    public mutating func append(_ name: HostName) {
        for index in 0..<name.count { append(byte: name[index]) }
    }
}
