import CLinux
import ScanCore

/// Text of C in fixed memory, made of parts: a path, the value of a variable, a command.
package struct CText: ~Copyable {
    /// The most bytes, without the terminating zero.
    package static var capacity: Int { 8191 }

    private var bytes = InlineArray<8192, UInt8>(repeating: 0)
    private var count = 0
    /// Whether something did not fit, or had a zero byte: then the text is not to be used.
    package private(set) var isBroken = false

    package init() {}

    package mutating func append(byte: UInt8) {
        if count == Self.capacity || byte == 0 {
            isBroken = true
        } else {
            bytes[count] = byte
            count += 1
        }
    }

    package mutating func append(_ text: Span<UInt8>) {
        for index in text.indices { append(byte: text[index]) }
    }

    package mutating func append(_ text: CString) {
        text.withBytes { append($0) }
    }

    /// Lends the text, which is valid while the function runs.
    package borrowing func withCString<Result>(_ body: (CString) -> Result) -> Result {
        unsafe bytes.span.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure() }
            return unsafe body(CString(unsafe: start.assumingMemoryBound(to: CChar.self)))
        }
    }
}

/// Programs that take the place of this process. `scanlogd wrap` alone calls these functions.
package enum ProgramExecution {
    /// The path under which this program was executed, with whatever links were in it.
    package static var executedPath: CString { unsafe CString(unsafe: clinux_executed_path()) }

    /// Executes a program, with all descriptors, signals and variables as they are (execv(3)). Returns only if it failed.
    ///
    /// - Parameter arguments: those of the program, its name first, and a null pointer.
    package static func execute(
        _ path: CString, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) -> SystemError {
        unsafe execv(path.pointer, arguments)
        return SystemError(path, "execute")
    }

    /// Executes a command of the shell with an environment of its own, and every signal at its default. Returns only if
    /// it failed.
    ///
    /// - Parameters:
    ///   - command: for `/bin/sh -c`.
    ///   - environment: up to four variables, as `NAME=value`.
    package static func executeShell(_ command: CString, environment: InlineArray<4, CString>) -> SystemError {
        let arguments: InlineArray<4, UnsafeMutablePointer<CChar>?> = unsafe [
            text("sh"), text("-c"), text(command), nil,
        ]
        var variables = unsafe InlineArray<5, UnsafeMutablePointer<CChar>?>(repeating: nil)
        for index in environment.indices { unsafe variables[index] = text(environment[index]) }
        clinux_reset_signals()
        let (argumentSpan, variableSpan) = unsafe (arguments.span, variables.span)
        unsafe argumentSpan.withUnsafeBufferPointer { arguments in
            unsafe variableSpan.withUnsafeBufferPointer { variables in
                guard let first = arguments.baseAddress, let variable = variables.baseAddress else { return }
                unsafe execve("/bin/sh", first, variable)
            }
        }
        return SystemError("/bin/sh", "execute")
    }

    private static func text(_ text: CString) -> UnsafeMutablePointer<CChar>? {
        unsafe UnsafeMutablePointer(mutating: text.pointer)
    }

    /// Sets a variable of the environment, for this process and the program that takes its place (setenv(3)).
    package static func setVariable(_ name: CString, _ value: CString) throws(SystemError) {
        _ = try check("environment", "set") { unsafe setenv(name.pointer, value.pointer, 1) }
    }

    /// Sets the mode bits that new files do not get (umask(2)).
    package static func setUmask(_ mask: UInt32) {
        umask(mode_t(mask))
    }

    /// Keeps others from writing to new files, as tcpd(8) does; a stricter mask stays.
    package static func keepOthersFromWriting() {
        let before = umask(0o077)
        umask(before | 0o022)
    }

    /// Lowers, or raises, the priority (nice(2), which may return -1 when it succeeds).
    package static func addNice(_ value: Int32) throws(SystemError) {
        let before = getpriority(PRIO_PROCESS, 0)
        _ = try check("priority", "set") {
            setpriority(PRIO_PROCESS, 0, max(-20, min(19, before + max(-40, min(40, value)))))
        }
    }
}
