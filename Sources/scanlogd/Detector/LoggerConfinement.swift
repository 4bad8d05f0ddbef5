import CSeccomp
import System

/// Makes this process one that can do nothing but write to the system log's socket, and to what it holds.
///
/// It keeps the root directory: a syslogd that is started again makes a new socket there.
///
/// - Parameter account: the user it becomes.
/// - Returns: the signals that it will obey.
func confineLogger(to account: Account) throws(SystemError) -> SignalDescriptor {
    let signals = try SignalDescriptor()
    try CurrentProcess.enterRoot()
    try dropPrivileges(to: account)
    try forbidTracing()
    // The two sockets it opens anew: that of syslog(3), and one that looks whether somebody listens.
    try limitDescriptors(more: 2)
    try restrictFileSystem(to: .none)
    try SignalDescriptor.catchAlarms()
    try install(cseccomp_confine_logger)
    return signals
}
