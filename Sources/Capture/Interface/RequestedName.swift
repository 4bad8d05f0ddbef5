import CLinux
import System

/// A name that an administrator has for an interface: its own, an alternative one (ip-link(8), altname), or the label of
/// an address, which is the name of the interface, a colon and more (ip-address(8), label).
struct RequestedName {
    /// What the administrator gave.
    let text: CString
    /// How many of its bytes are a name of the interface.
    private let length: Int
    /// These, if it can be the interface's own.
    private let ownName: InterfaceName?

    /// The longest name there is, an alternative one (linux/if.h: ALTIFNAMSIZ, with a zero behind it).
    private static var longest: Int { 127 }

    /// - Parameters:
    ///   - text: the name as it was given.
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

    /// Where the first colon in a text is.
    static func colon(in text: CString) -> Int? {
        guard let colon = unsafe strchr(text.pointer, CInt(UInt8(ascii: ":"))) else { return nil }
        return unsafe UnsafePointer(colon) - text.pointer
    }

    /// Whether it is the name that begins some bytes, and ends with a zero byte or with them.
    func isIn(_ bytes: Span<UInt8>) -> Bool {
        if bytes.count < length || bytes.count > length && bytes[length] != 0 { return false }
        for index in 0..<length where bytes[index] != UInt8(bitPattern: unsafe text.pointer[index]) { return false }
        return true
    }

    /// Whether it is an interface's own name.
    func isOwn(_ name: InterfaceName) -> Bool { ownName == name }

    /// Whether it says more than the interface's own name.
    func isOther(than name: InterfaceName) -> Bool { InterfaceName(text) != name }
}
