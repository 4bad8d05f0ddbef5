import Capture
import ScanCore
import System

/// The version that `--version` prints.
let version = "0.1.0"

/// The entry point. Embedded Swift has no `CommandLine`, so the arguments are taken as C passes them; SwiftPM gives the
/// entry point of an executable this name.
@c(scanlogd_main)
public func start(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    do throws(SystemError) {
        let role = unsafe Role(count, arguments)
        if role.isStartedForConnection { return try unsafe role.run(count, arguments) }
        try openStandardDescriptors()
        if let problem = parametersProblem {
            warn(SystemError("parameters", "check", because: problem).line)
            return ExitStatus.misconfigured
        }
        return try unsafe role.run(count, arguments)
    } catch {
        warn(error.line)
        return ExitStatus.failure
    }
}

/// What is wrong with the compiled-in parameters; `nil`: nothing.
private var parametersProblem: CString? {
    testParametersProblem ?? Parameters.problem.map { CString($0) }
}
