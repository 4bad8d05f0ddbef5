import CLinux
import ScanCore

/// Text that lives as long as the process and ends in a zero byte, as C wants it: a literal, or an argument.
///
/// Not a String: what that brings along would make the whole daemon twice as large.
@safe public struct CString: Equatable, ExpressibleByStringLiteral, @unchecked Sendable {
    /// The first byte.
    public let pointer: UnsafePointer<CChar>

    /// The text of a literal.
    public init(stringLiteral text: StaticString) {
        self.init(text)
    }

    /// The text of a constant, which is a literal as well. Its characters must be more than one.
    public init(_ text: StaticString) {
        precondition(text.hasPointerRepresentation)
        unsafe pointer = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// The text at a pointer, which must stay valid and unchanged as long as the process lives.
    public init(unsafe pointer: UnsafePointer<CChar>) {
        unsafe self.pointer = pointer
    }

    /// How many bytes it has before the zero.
    package var count: Int { unsafe strlen(pointer) }

    /// Whether another text stands in it as a word: no byte next to it is one of those that words are made of.
    package func hasWord(_ word: CString, of isOfWord: (UInt8) -> Bool) -> Bool {
        let length = word.count
        var rest = unsafe pointer
        while let found = unsafe strstr(rest, word.pointer) {
            let begins = unsafe found == pointer || !isOfWord(UInt8(bitPattern: found[-1]))
            if unsafe begins && !isOfWord(UInt8(bitPattern: found[length])) { return true }
            unsafe rest = UnsafePointer(found + length)
        }
        return false
    }

    /// Whether two texts have the same bytes.
    public static func == (left: CString, right: CString) -> Bool {
        unsafe strcmp(left.pointer, right.pointer) == 0
    }
}

extension LogLine {
    /// Appends constant text.
    public mutating func append(_ text: CString) {
        var next = unsafe text.pointer
        while unsafe next.pointee != 0 {  // every text has its end
            append(byte: UInt8(bitPattern: unsafe next.pointee))
            unsafe next += 1
        }
    }
}
