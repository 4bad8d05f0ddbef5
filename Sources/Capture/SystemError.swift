import CLinux
import ScanCore

/// Something the system refused, or that must not be: on what, what for, and why.
public struct SystemError: Error {
    /// What it was done to: a path, a kind of socket, a user.
    public let object: ConstantText
    /// What was tried.
    public let operation: ConstantText
    /// The error number of the call, 0 where there was none.
    public let code: Int32

    private let reason: ConstantText?
    private let number: Int32?
    private let position: UInt64?

    /// The error of a call that has just failed: errno is read here, before anything else can change it.
    @inline(never)
    public init(_ object: ConstantText, _ operation: ConstantText) {
        self.init(object, operation, code: clinux_errno())
    }

    /// The error of a call that returns its error number.
    public init(_ object: ConstantText, _ operation: ConstantText, code: Int32) {
        self.code = code
        reason = nil
        number = nil
        position = nil
        self.object = object
        self.operation = operation
    }

    /// An error that the system has no number for: the reason in words, and a number that ends them.
    public init(
        _ object: ConstantText, _ operation: ConstantText, because reason: ConstantText, _ number: Int32? = nil
    ) {
        code = 0
        self.reason = reason
        self.number = number
        position = nil
        self.object = object
        self.operation = operation
    }

    /// An error at a position in a file, in bytes, that ends the words for what was tried.
    public init(
        _ object: ConstantText, _ operation: ConstantText, at position: UInt64, because reason: ConstantText
    ) {
        code = 0
        self.reason = reason
        number = nil
        self.position = position
        self.object = object
        self.operation = operation
    }

    /// The error in words: `object: operation: reason`.
    public var line: LogLine {
        var line = LogLine()
        line.append(object)
        line.append(": ")
        line.append(operation)
        if let position { line.append(decimal: position) }
        line.append(": ")
        line.append(reason ?? (unsafe ConstantText(unsafe: strerror(code))))
        if let number { line.append(decimal: UInt32(clamping: number)) }
        return line
    }
}

/// Runs a call that returns -1 and sets errno until no signal interrupts it, and throws its error.
@inline(__always)
public func check(
    _ object: ConstantText, _ operation: ConstantText, _ call: () -> Int32
) throws(SystemError) -> Int32 {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = SystemError(object, operation)
        if error.code != EINTR { throw error }
    }
}
