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
    let key = try HashKey.random()
    switch options.backend {
    case .ring:
        try detect(in: try PacketSocketCapture(options.selection, key: key), .ring, options, key)
    case .raw:
        try detect(in: try openRawSockets(), .raw, options, key)
    case .pcap:
        #if Pcap
            try detect(in: try PcapCapture(options.selection, key: key), .pcap, options, key)
        #endif
    case .nids:
        #if Nids
            try detect(in: try NidsCapture(options.selection, key: key), .nids, options, key)
        #endif
    case nil:
        try detectInFirst(options, key)
    }
}

/// Runs the detector with the backend that sees most of those that work.
private func detectInFirst(_ options: Options, _ key: HashKey) throws(SystemError) {
    let capture: PacketSocketCapture
    do throws(SystemError) {
        capture = try PacketSocketCapture(options.selection, key: key)
    } catch {
        if options.selectingOption != nil { throw error }  // raw sockets can't choose packets
        return try detectInRawSockets(options, key, insteadOf: error)
    }
    try detect(in: capture, .ring, options, key)
}

private func detectInRawSockets(
    _ options: Options, _ key: HashKey, insteadOf failure: SystemError
) throws(SystemError) {
    let capture: RawSocketCapture
    do throws(SystemError) {
        capture = try openRawSockets()
    } catch {
        throw failure  // of what should have worked
    }
    try detect(in: capture, .raw, options, key, insteadOf: failure)
}

private func openRawSockets() throws(SystemError) -> RawSocketCapture {
    try RawSocketCapture(receiveBuffer: Parameters.receiveBuffer, gatherTime: Parameters.gatherTime)
}

/// Runs the detector on the packets of a capture that was opened.
///
/// - Parameter failure: why it isn't the backend that sees more.
private func detect<Source: Capture & ~Copyable>(
    in capture: consuming Source, _ backend: Backend, _ options: Options, _ key: HashKey,
    insteadOf failure: SystemError? = nil
) throws(SystemError) {
    // As root: everything else that needs root, or the file system.
    let signals = try Signals()
    let account = try Account(named: ConstantText(Parameters.user))
    let directory = try ChrootDirectory(ConstantText(Parameters.chrootDirectory))
    let nullDevice = try openNullDevice()
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
    log.started(backend, insteadOf: failure)
    var loop = SensorLoop(capture, signals, key: key, log: log)
    try loop.run()
    log.inform(LogLine("stopped"))
    try pidFile?.empty()
}

extension SystemLog {
    fileprivate func started(_ backend: Backend, insteadOf failure: SystemError?) {
        if let failure {
            var line = failure.line
            line.append("; raw sockets are used instead, which don't see what a firewall drops")
            warn(line)
        }
        var line = LogLine("started, version ")
        line.append(version)
        line.append(", backend ")
        line.append(backend.name)
        inform(line)
    }
}
