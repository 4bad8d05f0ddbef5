/// A host's name, fit to stand in a line in place of its address.
///
/// Whoever owns an address chooses what its name is: only letters, digits, dots, hyphens and underscores may be in it,
/// which nothing that reads a line takes for anything else, and it never reads as an address. All zero bytes are a name
/// of no bytes, which only stands where there is none.
public struct HostName: Equatable, Sendable {
    /// The most bytes of a name. DNS has room for twice as much, which makes a line that nobody reads.
    public static let longest = 128

    private var bytes = InlineArray<128, UInt8>(repeating: 0)
    private var length: UInt8 = 0

    /// The name that stands where there is none.
    init() {}

    /// A name of its bytes, or `nil` if they make none: 1 to ``longest`` of those allowed, the first neither hyphen nor
    /// dot, and the last label no number, which inet_aton(3) reads as an address or the end of one.
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

    /// Whether two names have the same bytes: letters are not the same in upper and in lower case.
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

    /// Whether a label, with the dot that may be its end, is decimal digits, or hexadecimal ones behind `0x`.
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

    private static func lowerCase(_ byte: UInt8) -> UInt8 { byte | 0x20 }  // of letters; digits and dots stay
}

extension LogLine {
    /// Appends a host's name.
    @inline(never)
    public mutating func append(_ name: HostName) {
        for index in 0..<name.count { append(byte: name[index]) }
    }
}
