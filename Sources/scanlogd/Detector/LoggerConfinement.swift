import CSeccomp
import System

/// Confines this process: it can only write to the system log's socket, and to the descriptors it holds.
///
/// It keeps the root directory: a restarted syslogd makes a new socket there.
///
/// - Parameter account: the user to change to.
/// - Returns: the signals to handle.
func confineLogger(to account: Account) throws(SystemError) -> SignalDescriptor {
    let signals = try SignalDescriptor()
    try CurrentProcess.enterRoot()
    try dropPrivileges(to: account)
    try forbidTracing()
    // The two sockets it opens anew: that of syslog(3), and one that checks whether /dev/log has a listener.
    try limitDescriptors(more: 2)
    try restrictFileSystem(to: .none)
    try SignalDescriptor.catchAlarms()
    try install(cseccomp_confine_logger)
    return signals
}
