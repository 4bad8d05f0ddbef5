import CLinux
import System

/// The name by which an administrator requests an interface: its own, an alternative one (ip-link(8), altname), or the
/// label of an address, which is the name of the interface, a colon and more (ip-address(8), label).
struct RequestedName {
    /// The text as given.
    let text: CString
    /// How many of its bytes are a name of the interface.
    private let length: Int
    /// Those bytes, if they can be the interface's own name.
    private let ownName: InterfaceName?

    /// The maximum length of a name, which an alternative one can have (linux/if.h: ALTIFNAMSIZ, with a terminating
    /// zero).
    private static var longest: Int { 127 }

    /// - Parameters:
    ///   - text: the name as given.
    ///   - isLabel: whether it is the label of an address.
    /// - Returns: `nil` if no interface can have it.
    init?(_ text: CString, isLabel: Bool = false) {
        var length = unsafe strnlen(text.pointer, RequestedName.longest + 1)
        if isLabel, let colon = RequestedName.colon(in: text) { length = colon }
        if length == 0 || length > RequestedName.longest { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: text.pointer, count: length)
        ownName = InterfaceName(unsafe bytes.bindMemory(to: UInt8.self).span)
        self.text = text
        self.length = length
    }

    /// The index of the first colon in a text.
    static func colon(in text: CString) -> Int? {
        guard let colon = unsafe strchr(text.pointer, CInt(UInt8(ascii: ":"))) else { return nil }
        return unsafe UnsafePointer(colon) - text.pointer
    }

    /// Whether some bytes begin with the name, which must end at a zero byte or at their end.
    func isIn(_ bytes: Span<UInt8>) -> Bool {
        if bytes.count < length || bytes.count > length && bytes[length] != 0 { return false }
        for index in 0..<length where bytes[index] != UInt8(bitPattern: unsafe text.pointer[index]) { return false }
        return true
    }

    /// Whether it is an interface's own name.
    func isOwn(_ name: InterfaceName) -> Bool { ownName == name }

    /// Whether it differs from the interface's own name.
    func isOther(than name: InterfaceName) -> Bool { InterfaceName(text) != name }
}
