/// A line of text in fixed memory, built piece by piece.
///
/// Text that does not fit is dropped: a line is never longer than ``capacity`` bytes.
public struct LogLine: Sendable {
    /// The maximum length of a line in bytes; the longest report, without a limit on its length, takes fewer than 320.
    public static let capacity = 512

    /// The bytes of the line, of which the first ``count`` are valid.
    public private(set) var bytes = InlineArray<512, UInt8>(repeating: 0)

    /// The length of the line in bytes.
    public private(set) var count = 0

    /// An empty line.
    public init() {}

    /// Creates a line with some text.
    public init(_ text: String) {
        append(text)
    }

    /// Appends text, byte for byte.
    @inline(never)  // like the others below: lines are rare, and there are many call sites
    public mutating func append(_ text: String) {
        append(text.utf8Span.span)
    }

    /// Appends another line.
    @inline(never)
    public mutating func append(_ other: LogLine) {
        append(other.bytes.span.extracting(0..<other.count))
    }

    @inline(__always)
    private mutating func append(_ text: Span<UInt8>) {
        let length = min(text.count, LogLine.capacity - count)
        for index in 0..<length { bytes[count + index] = text[index] }
        count += length
    }

    /// Appends one byte.
    @inline(never)
    public mutating func append(byte: UInt8) {
        if count < bytes.count {
            bytes[count] = byte
            count += 1
        }
    }

    /// Appends a number in decimal, padded with zeros to `width` digits, of which there are at most 20.
    public mutating func append(decimal value: some UnsignedInteger & FixedWidthInteger, width: Int = 1) {
        append(decimal: UInt64(value), padded: width)
    }

    @inline(never)
    private mutating func append(decimal value: UInt64, padded width: Int) {
        var digits = 1
        var rest = value / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        let length = max(digits, width)
        rest = value
        for index in 0..<length {
            let place = count + length - 1 - index
            if place < LogLine.capacity { bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10) }
            rest /= 10
        }
        count = min(count + length, LogLine.capacity)
    }

    /// Appends a number in lower-case hexadecimal, padded with zeros to `width` digits, of which there are at most 4.
    @inline(never)
    public mutating func append(hexadecimal value: UInt16, width: Int = 1) {
        var digit = 3
        while digit >= 0 {
            let nibble = UInt8(truncatingIfNeeded: value >> (digit * 4)) & 15
            if digit < width || value >> (digit * 4) > 0 {
                append(byte: nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble)
            }
            digit -= 1
        }
    }

    /// Truncates the line to `count` bytes.
    @inline(never)
    public mutating func shorten(to count: Int) {
        self.count = min(self.count, max(count, 0))
    }

    /// Replaces each control character, which could split the line or control the terminal that shows it, by a question
    /// mark.
    public mutating func replaceControls() {
        for index in 0..<count where bytes[index] < 0x20 || bytes[index] == 0x7f { bytes[index] = UInt8(ascii: "?") }
    }
}
