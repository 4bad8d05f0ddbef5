import CLinux

/// In a test build, makes a call that the sandbox forbids, selected by the environment. In any other build it does
/// nothing.
package func runTestHook() {
    #if TEST_HOOKS
        guard let call = unsafe getenv("SCANLOGD_TEST_HOOK") else { return }
        switch unsafe UInt8(bitPattern: call.pointee) {
        case UInt8(ascii: "e"):
            var none: UnsafeMutablePointer<CChar>?
            _ = unsafe execve("/bin/true", &none, &none)
        case UInt8(ascii: "o"): _ = unsafe clinux_open("/", O_RDONLY, 0)
        case UInt8(ascii: "s"): _ = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        default: break
        }
    #endif
}

/// The same in the broker when it opens a file: it opens another one, by a `name` that leads out of the directory, or
/// by a `path`.
package func runBrokerTestHook(_ directory: Int32, _ path: CString) throws(SystemError) {
    #if TEST_HOOKS
        guard let hook = unsafe getenv("SCANLOGD_TEST_HOOK"), unsafe strlen(hook) > 5 else { return }
        let other = unsafe hook + 5
        _ = try check(path, "open") {
            switch unsafe UInt8(bitPattern: hook.pointee) {
            case UInt8(ascii: "n"): unsafe clinux_open_in(directory, other, AppendFile.flags, 0o640)
            case UInt8(ascii: "p"): unsafe clinux_open(other, AppendFile.flags, 0o640)
            default: 0
            }
        }
    #endif
}

/// In a test build, a problem with the parameters that the environment simulates.
package var testParametersProblem: CString? {
    #if TEST_HOOKS
        if let problem = unsafe getenv("SCANLOGD_TEST_PARAMETERS") { return unsafe CString(unsafe: problem) }
    #endif
    return nil
}
