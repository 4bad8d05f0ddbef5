import CLinux
import ScanCore

/// Zero-terminated text that lives as long as the process, for C functions: a literal, or an argument.
///
/// Not a String: its runtime support would double the size of the daemon.
@safe public struct CString: Equatable, ExpressibleByStringLiteral, @unchecked Sendable {
    /// The first byte.
    public let pointer: UnsafePointer<CChar>

    /// Creates the text of a literal.
    public init(stringLiteral text: StaticString) {
        self.init(text)
    }

    /// Creates the text of a constant, which is a literal as well. It must have more than one character.
    public init(_ text: StaticString) {
        precondition(text.hasPointerRepresentation)
        unsafe pointer = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// Creates the text at a pointer, which must stay valid and unchanged for the lifetime of the process.
    public init(unsafe pointer: UnsafePointer<CChar>) {
        unsafe self.pointer = pointer
    }

    /// The length in bytes, without the terminating zero.
    package var count: Int { unsafe strlen(pointer) }

    /// What follows the last slash of a path; "." if nothing does.
    package var lastComponent: CString { unsafe CString(unsafe: clinux_last_name(pointer)) }

    /// Whether it has a slash.
    package var hasSlash: Bool { unsafe strchr(pointer, 47) != nil }

    /// Whether another text occurs in it as a word: no adjacent byte is a word character.
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
        while unsafe next.pointee != 0 {  // every text is zero-terminated
            append(byte: UInt8(bitPattern: unsafe next.pointee))
            unsafe next += 1
        }
    }
}
