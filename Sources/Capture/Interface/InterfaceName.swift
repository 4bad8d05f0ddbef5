import CLinux
import ScanCore
import System

/// The name of an interface: 1 to 15 bytes, any but white space, `/`, `:` and zero (netdevice(7)).
struct InterfaceName: Equatable {
    /// The bytes, the first one lowest, padded with zeros. Not an InlineArray: that takes much more code.
    private var first: UInt64 = 0
    private var second: UInt64 = 0

    /// An empty name, which no interface has.
    init() {}

    /// The name at the beginning of some bytes, which ends at a zero byte or at their end; `nil` if it is invalid.
    @inline(never)
    init?(_ text: Span<UInt8>) {
        for index in text.indices {
            if text[index] == 0 { break }
            if index == 15 { return nil }
            let byte = UInt64(text[index]) << UInt64(index % 8 * 8)
            if index < 8 { first |= byte } else { second |= byte }
        }
        if first == 0 { return nil }
    }

    /// A name given by an administrator; `nil` if no interface can have it as its own name.
    init?(_ text: CString) {
        let bytes = unsafe UnsafeRawBufferPointer(start: text.pointer, count: strnlen(text.pointer, 16))
        self.init(unsafe bytes.bindMemory(to: UInt8.self).span)
    }

    /// Passes the name as a C string.
    func withCString<Result>(
        _ body: (UnsafePointer<CChar>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let bytes = (first.littleEndian, second.littleEndian)  // 16 bytes, of which the last is zero
        return try unsafe withUnsafePointer(to: bytes) { (pointer) throws(SystemError) in
            try unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
        }
    }

    /// Appends the name to a line, with `?` for unprintable bytes: whoever creates an interface chooses its name.
    @inline(never)
    func append(to line: inout LogLine) {
        for index in 0..<16 {
            let byte = UInt8(truncatingIfNeeded: (index < 8 ? first : second) >> UInt64(index % 8 * 8))
            if byte == 0 { return }
            line.append(byte: byte > 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
        }
    }
}

/// The numbers of a few interfaces.
struct InterfaceIndexes {
    private(set) var count = 0
    private var numbers = InlineArray<16, Int32>(repeating: 0)

    mutating func append(_ number: Int32) {
        numbers[count] = number
        count += 1
    }

    subscript(index: Int) -> Int32 { numbers[index] }

    func contains(_ number: Int32) -> Bool {
        for index in 0..<count where numbers[index] == number { return true }
        return false
    }
}
