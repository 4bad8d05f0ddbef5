import CLinux
import ScanCore

/// A failed system call or a violated requirement: the object, the operation and the reason.
public struct SystemError: Error {
    /// The object of the operation: a path, a kind of socket, a user.
    public let object: CString
    /// The operation that failed.
    public let operation: CString
    /// The error number of the call, 0 if there is none.
    public var code: Int32 { reason == nil ? value : 0 }

    // Four words in all, so that an error is returned in registers: that makes the whole program a tenth smaller.
    private let reason: CString?
    /// The error number, or the number appended to a reason.
    private let value: Int32
    private let hasNumber: Bool

    /// The error of a call that has just failed: errno is read here, before anything else can change it.
    public init(_ object: CString, _ operation: CString) {
        self.init(object, operation, code: clinux_errno())
    }

    /// The error of a call that returns its error number.
    public init(_ object: CString, _ operation: CString, code: Int32) {
        reason = nil
        value = code
        hasNumber = false
        self.object = object
        self.operation = operation
    }

    /// Creates an error without an error number: the reason in words, and optionally a number from 0 appended to it.
    public init(
        _ object: CString, _ operation: CString, because reason: CString, _ number: Int32? = nil
    ) {
        self.reason = reason
        value = number ?? 0
        hasNumber = number != nil
        self.object = object
        self.operation = operation
    }

    /// The error in words: `object: operation: reason`.
    public var line: LogLine {
        var line = LogLine()
        line.append(object)
        line.shorten(to: 256)  // a filter can be long; keep room for the reason
        line.append(": ")
        line.append(operation)
        line.append(": ")
        line.append(reasonText)
        return line
    }

    /// The reason alone.
    public var reasonText: LogLine {
        var line = LogLine()
        line.append(reason ?? (unsafe CString(unsafe: strerror(value))))
        if hasNumber { line.append(decimal: UInt32(clamping: value)) }
        return line
    }
}

/// Runs a call that returns -1 and sets errno on failure, repeats it while a signal interrupts it, and throws its
/// error.
@inline(__always)
public func check(
    _ object: CString, _ operation: CString, _ call: () -> Int32
) throws(SystemError) -> Int32 {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = SystemError(object, operation)
        if error.code != EINTR { throw error }
    }
}
