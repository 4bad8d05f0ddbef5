import Capture
import CLinux
import ScanCore

/// Runs the detector: opens everything as root, gives root up, and looks at packets until it is told to stop.
///
/// What fails before the end of the start-up leaves nothing behind; what an attacker can reach, the packets, is first
/// touched after it, as a user that owns nothing, in a directory that holds nothing.
func detect(_ options: Options) throws(SystemError) {
    if let problem = Parameters.problem { throw SystemError("parameters", "check", because: ConstantText(problem)) }
    if geteuid() != 0 { throw SystemError("start", "check privileges", because: "only root can start scanlogd") }

    // As root: everything that needs root, or the file system.
    let signals = try Signals()
    let account = try Account(named: ConstantText(Parameters.user))
    let directory = try ChrootDirectory(ConstantText(Parameters.chrootDirectory))
    let nullDevice = try openNullDevice()
    let key = try HashKey.random()
    let capture = try RawSocketCapture(
        receiveBuffer: Parameters.receiveBuffer, gatherTime: Parameters.gatherTime)
    let log = SystemLog(copyToStandardError: options.foreground)
    loadTimeZone()
    let pidFile: PidFile? = if let path = options.pidFile { try PidFile(path) } else { nil }
    // The writer process, which keeps the log when syslogd is restarted, is to start here, outside the chroot.

    // Root no more.
    try directory.enter()
    try dropPrivileges(to: account)
    // The filter of system calls is to be installed here.

    // Started: nothing can fail from here on that the caller would want to know.
    if options.foreground {
        try pidFile?.write(getpid())
    } else {
        try goToBackground(nullDevice: nullDevice, pidFile: pidFile)
    }
    var started = LogLine("started, version ")
    started.append(version)
    started.append(", backend raw")
    log.inform(started)
    var loop = SensorLoop(capture, signals, key: key, log: log)
    try loop.run()
    log.inform(LogLine("stopped"))
    try pidFile?.empty()
}
