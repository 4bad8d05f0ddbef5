import CLinux

/// How commands end that fail.
package enum ExitStatus {
    /// Something failed that may work another time.
    package static var failure: Int32 { 1 }

    /// The command line is wrong, or the file of exempt sources, or a parameter: the same start will always fail. A service
    /// manager is told by it not to try again; `scanlogd rules` has the same status for this.
    package static var misconfigured: Int32 { 2 }
}

/// Runs what finds out what is wanted, and says what is wrong with that.
///
/// - Returns: nothing if something is.
package func readConfiguration<Result: ~Copyable>(_ read: () throws(SystemError) -> Result?) throws(SystemError)
    -> Result?
{
    do throws(SystemError) {
        return try read()
    } catch {
        switch error.code {
        case ENOMEM, EMFILE, ENFILE, EIO: throw error  // no mistake of whoever wrote it
        default: warn(error.line)
        }
        return nil
    }
}
