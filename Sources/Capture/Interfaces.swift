import CLinux
import ScanCore

/// The name of an interface: 1 to 15 bytes, any but white space, `/`, `:` and zero (netdevice(7)).
struct InterfaceName: Equatable {
    private var bytes = InlineArray<16, UInt8>(repeating: 0)
    private var count = 0

    /// The name that begins some bytes and ends with a zero byte or with them; `nil` if it is no name.
    init?(_ text: Span<UInt8>) {
        for index in text.indices {
            if text[index] == 0 { break }
            if count == 15 { return nil }
            bytes[count] = text[index]
            count += 1
        }
        if count == 0 { return nil }
    }

    /// The name an administrator gave; `nil` if no interface can have it.
    init?(_ text: ConstantText) {
        let bytes = unsafe UnsafeRawBufferPointer(start: text.pointer, count: strnlen(text.pointer, 16))
        self.init(unsafe bytes.bindMemory(to: UInt8.self).span)
    }

    static func == (left: InterfaceName, right: InterfaceName) -> Bool {
        for index in 0..<16 where left.bytes[index] != right.bytes[index] { return false }
        return true
    }

    /// Appends the name to a line, `?` for what doesn't print: whoever makes an interface chooses its name.
    func append(to line: inout LogLine) {
        for index in 0..<count {
            let byte = bytes[index]
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
