import CLinux

/// The exit statuses of commands that fail.
package enum ExitStatus {
    /// A failure that may be temporary.
    package static var failure: Int32 { 1 }

    /// The command line, the file of exempt sources, or a parameter is invalid: every start will fail. It tells a
    /// service manager not to restart; `scanlogd rules` uses the same status for this.
    package static var misconfigured: Int32 { 2 }
}

/// Runs a function that reads the configuration, and reports errors in it.
///
/// - Returns: the result, or `nil` after an error in the configuration.
package func readConfiguration<Result: ~Copyable>(_ read: () throws(SystemError) -> Result?) throws(SystemError)
    -> Result?
{
    do throws(SystemError) {
        return try read()
    } catch {
        switch error.code {
        case ENOMEM, EMFILE, ENFILE, EIO: throw error  // not a configuration error
        default: warn(error.line)
        }
        return nil
    }
}
