import CLinux
import Testing

/// Runs a function in a process of its own, for what belongs to a process: limits, standard output, getopt(3)'s place.
///
/// - Returns: what the function returned, -1 if a signal ended the process.
func inChild(_ body: () -> Int32) throws -> Int32 {
    let child = fork()
    if child == 0 { _exit(body()) }
    try #require(child > 0)
    var status: Int32 = 0
    try #require(unsafe waitpid(child, &status, 0) == child)
    return clinux_ending_signal(status) == 0 ? clinux_exit_status(status) : -1
}
