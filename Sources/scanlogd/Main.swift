import Capture
import ScanCore
import System

/// The version that `--version` prints.
let version = "0.1.0"

/// What the system starts. Embedded Swift has no `CommandLine`, so the arguments are taken where C has them; SwiftPM
/// gives the entry point of an executable this name.
@c(scanlogd_main)
public func start(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    do throws(SystemError) {
        try openStandardDescriptors()
        if let problem = parametersProblem {
            warn(SystemError("parameters", "check", because: problem).line)
            return ExitStatus.misconfigured
        }
        #if Rules
            // Before descriptors are closed: a file may be given as one of them.
            if unsafe isRole("rules", count, arguments) { return unsafe rules(count - 1, arguments + 1) }
        #endif
        #if Pcap
            if unsafe isRole("connections", count, arguments) {
                return try unsafe connections(count - 1, arguments + 1)
            }
        #endif
        let read = try readConfiguration { () throws(SystemError) in unsafe try Options(count, arguments) }
        guard let options = read else { return ExitStatus.misconfigured }
        #if Pcap
            closeInheritedDescriptors(but: options.captureFile)
        #else
            closeInheritedDescriptors(but: nil)  // here no path is read that could lead to a descriptor
        #endif
        switch options.action {
        case .help: try print(usage)
        case .version: try print(buildInformation())
        case .detect: return try detect(options)
        case .replay:
            guard let exempt = try readExemptList(options) else { return ExitStatus.misconfigured }
            try replay(options.captureFile, exempt, options.reportFormat)
        case .selfTest: return try selfTest(options) ? 0 : ExitStatus.failure
        }
        return 0
    } catch {
        warn(error.line)
        return ExitStatus.failure
    }
}

/// What is wrong with the parameters that this was built with, if anything is.
private var parametersProblem: CString? {
    testParametersProblem ?? Parameters.problem.map { CString($0) }
}

/// Reads the file of exempt sources, if one is named. What is wrong with it is said on standard error, and then there is
/// nothing.
func readExemptList(_ options: Options) throws(SystemError) -> ExemptSources? {
    try readConfiguration { () throws(SystemError) in try ExemptSources(options.exemptFile) }
}

#if Pcap || Rules
    /// Whether the first argument names a role other than the detector's.
    private func isRole(
        _ name: CString, _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) -> Bool {
        guard count > 1, let first = unsafe arguments[1] else { return false }
        return unsafe CString(unsafe: first) == name
    }
#endif
