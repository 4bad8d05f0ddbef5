import Capture
import CLinux
import CSeccomp

/// Makes this process one that can do nothing but look at the packets of the sockets that it holds, and hand over lines.
///
/// - Parameters:
///   - account: the user it becomes.
///   - directory: what becomes its root directory.
///   - backend: where it has its packets from, which says what system calls it needs.
func confineSensor(
    to account: Account, in directory: consuming ChrootDirectory, _ backend: Backend
) throws(SystemError) {
    let nullDevice = try openNullDevice()  // it can't be reached from inside the directory
    try directory.enter()
    try dropPrivileges(to: account)
    try hideFromOthers()
    try replaceStandardDescriptors(by: nullDevice)
    letGo(nullDevice)
    try limitDescriptors(more: 0)
    try limit(RLIMIT_FSIZE, to: 0)  // no file can grow; a pipe is none
    try install { backend.filterSystemCalls() }
}

/// Makes this process one that can do nothing but write to the system log's socket, and to what it holds.
///
/// It keeps the root directory: a syslogd that is started again makes a new socket there.
///
/// - Parameter account: the user it becomes.
/// - Returns: the signals that it will obey.
func confineWriter(to account: Account) throws(SystemError) -> Signals {
    let signals = try Signals()
    _ = try check("/", "enter") { unsafe chdir("/") }
    try dropPrivileges(to: account)
    try hideFromOthers()
    // The two sockets it opens anew: that of syslog(3), and one that looks whether somebody listens.
    try limitDescriptors(more: 2)
    try loseFiles(clinux_landlock_all)
    _ = try check("signals", "catch alarms") { clinux_catch_alarms() }
    try install(cseccomp_confine_writer)
    return signals
}

/// Whether this build and this kernel can end a process that makes a system call it never makes.
var systemCallsAreFiltered: Bool { cseccomp_is_available() }

func install(_ filter: () -> Int32) throws(SystemError) {
    if !systemCallsAreFiltered { return }  // the log says so
    _ = try check("system-call filter", "install") { filter() }
}

/// Nothing can look into the process, its memory is never written out, and it has no children.
func hideFromOthers() throws(SystemError) {
    _ = try check("privileges", "forbid dumps") { clinux_set_undumpable() }
    try limit(RLIMIT_CORE, to: 0)
    try limit(__RLIMIT_NPROC, to: 0)
}

@inline(never)
func limit(_ resource: __rlimit_resource, to value: UInt64) throws(SystemError) {
    _ = try check("limits", "set") { clinux_limit(Int32(resource.rawValue), value) }
}

/// Lets only so many descriptors be opened beside those that are open: what opens one takes the lowest free number, and
/// the limit leaves no more free numbers below it.
private func limitDescriptors(more count: Int) throws(SystemError) {
    var placeholders: InlineArray<2, Int32> = [-1, -1]
    for index in 0..<count { placeholders[index] = try check("descriptors", "duplicate") { dup(STDIN_FILENO) } }
    while true {
        let lowestFree = try check("descriptors", "duplicate") { dup(STDIN_FILENO) }
        if lowestFree < PollSet.size { continue }  // poll(2) takes no more entries than descriptors may be open
        close(lowestFree)
        for index in 0..<count { close(placeholders[index]) }
        return try limit(RLIMIT_NOFILE, to: UInt64(lowestFree))
    }
}

/// Takes the file system away, or some of it, where the kernel can do so: to connect to a socket is not among what it
/// forbids.
///
/// - Parameter restrict: what takes it away: one of `clinux_landlock_`.
func loseFiles(_ restrict: () -> Int32) throws(SystemError) {
    do throws(SystemError) {
        _ = try check("Landlock", "restrict") { restrict() }
    } catch {
        // EPERM is what the filter of a container or a service manager says that does not know Landlock.
        if error.code != ENOSYS && error.code != EOPNOTSUPP && error.code != EPERM { throw error }
    }
}

#if Pcap
    /// Makes this process one that can do nothing but look at packets, and write to what is open.
    ///
    /// - Parameters:
    ///   - privileges: those it gives up.
    ///   - directory: what becomes its root directory, if it can.
    ///   - hasFile: its lines go to a file, which may be replaced, and not to standard output.
    func confineAttempts(
        _ privileges: PrivilegeDrop, in directory: consuming ChrootDirectory?, hasFile: Bool
    ) throws(SystemError) {
        let nullDevice = try openNullDevice()
        _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, STDIN_FILENO) }
        if hasFile { _ = try check("/dev/null", "duplicate") { dup2(nullDevice.number, STDOUT_FILENO) } }
        letGo(nullDevice)
        switch consume directory {
        case .some(let directory): try directory.enter()
        case .none: break
        }
        try privileges.giveUp()
        try hideFromOthers()
        try limitDescriptors(more: hasFile ? 1 : 0)
        _ = try check("signals", "catch alarms") { clinux_catch_alarms() }
        try install(cseccomp_confine_connections)
    }

    /// Makes this process one that can look names up and do nothing else: it reads files, and connects to name servers.
    ///
    /// It keeps the root directory, where the C library's resolver has its files, and can fork: a process for each lookup.
    ///
    /// - Parameter privileges: those it gives up.
    func confineNameService(_ privileges: PrivilegeDrop) throws(SystemError) {
        let nullDevice = try openNullDevice()
        _ = try check("host names", "start session") { setsid() }  // the terminal's signals are not meant for it
        _ = try check("/", "enter") { unsafe chdir("/") }
        try privileges.giveUp()
        _ = try check("privileges", "forbid dumps") { clinux_set_undumpable() }
        _ = try check("host names", "end with parent") { clinux_die_with_parent() }
        try limit(RLIMIT_CORE, to: 0)
        try limit(RLIMIT_NOFILE, to: 64)
        try limit(RLIMIT_AS, to: 256 << 20)
        try loseFiles(clinux_landlock_all_but_reading)
        try limit(RLIMIT_FSIZE, to: 0)  // after all that may have to be told: standard error can be a file
        try install(cseccomp_confine_names)
        try replaceStandardDescriptors(by: nullDevice)
    }

    /// What a process that makes one lookup gives up as well: it can't fork, nor signal others, and it ends with the one
    /// that forked it.
    ///
    /// - Parameter filter: whether that one's system calls are filtered, which can't be asked any more.
    func confineLookup(filter: Bool) throws(SystemError) {
        try limit(__RLIMIT_NPROC, to: 0)
        _ = try check("host names", "end with parent") { clinux_die_with_parent() }
        if filter { _ = try check("system-call filter", "install") { cseccomp_confine_lookup() } }
    }
#endif
