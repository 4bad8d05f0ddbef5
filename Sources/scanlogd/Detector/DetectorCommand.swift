import Capture
import ScanCore
import System

/// Runs `scanlogd` without a role argument: does what its options ask for.
///
/// - Returns: the exit status.
func runDetector(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) throws(SystemError) -> Int32 {
    let read = try readConfiguration { () throws(SystemError) in unsafe try Options(count, arguments) }
    guard let options = read else { return ExitStatus.misconfigured }
    closeInheritedDescriptors(but: options.captureFile)
    switch options.action {
    case .help: try printUsage()
    case .version: try print(buildInformation())
    case .detect: return try detect(options)
    case .replay:
        guard let exempt = try readExemptList(options) else { return ExitStatus.misconfigured }
        try replay(
            options.captureFile, exempt, options.kindSettings, options.wantedKinds, options.reportFormat)
    case .selfTest: return try selfTest(options) ? 0 : ExitStatus.failure
    }
    return 0
}

/// Reads the file of exempt sources, if one is named. Problems in it are printed on standard error, and then the result
/// is `nil`.
private func readExemptList(_ options: Options) throws(SystemError) -> ExemptSources? {
    try readConfiguration { () throws(SystemError) in try ExemptSources(options.exemptFile) }
}

/// Runs the detector: opens everything as root, then continues as two unprivileged processes until a stop is requested:
/// the sensor, which inspects packets, and the logger, which logs what the sensor finds.
///
/// A start that fails leaves nothing behind. Packets, the input that an attacker controls, are read only after it, as a
/// user that owns nothing, in an empty root directory.
///
/// - Returns: the exit status.
private func detect(_ options: Options) throws(SystemError) -> Int32 {
    if !CurrentProcess.isRoot {
        throw SystemError("start", "check privileges", because: "only root can start scanlogd")
    }
    guard let exempt = try readExemptList(options) else { return ExitStatus.misconfigured }
    let start = try DetectorStart(options, exempt)
    let opened = try OpenBackend(options, key: start.key)
    return try start.run(opened)
}

/// An open source of packets.
private struct OpenBackend: ~Copyable {
    let backend: Backend
    let capture: BackendCapture
    /// Why it is not the preferred backend, which sees more packets.
    let failure: SystemError?

    /// Opens the requested backend, or the working one that sees most packets.
    init(_ options: Options, key: HashKey) throws(SystemError) {
        let wanted = options.backend ?? .first
        do throws(SystemError) {
            self.init(wanted, try wanted.open(options.selection, key: key))
        } catch {
            // Raw sockets can't select packets, nor do they see all kinds of scans.
            let isChosen = options.backend != nil || options.selectingOption != nil || options.wantedKinds.areNamed
            if isChosen || wanted == .raw { throw error }
            try self.init(insteadOf: error, options, key: key)
        }
    }

    private init(_ backend: Backend, _ capture: consuming BackendCapture, insteadOf failure: SystemError? = nil) {
        self.backend = backend
        self.capture = capture
        self.failure = failure
    }

    /// Opens raw sockets. If that fails as well, throws the error of the preferred backend.
    private init(insteadOf failure: SystemError, _ options: Options, key: HashKey) throws(SystemError) {
        do throws(SystemError) {
            self.init(.raw, try Backend.raw.open(options.selection, key: key), insteadOf: failure)
        } catch {
            throw failure
        }
    }
}

/// The resources of a start, opened as root, except for the source of packets.
private struct DetectorStart: ~Copyable {
    /// Secret random numbers, for everything that must be unpredictable to an attacker.
    let key: HashKey

    private let launch: Daemonization?
    private let account: Account
    private let directory: ChrootDirectory
    private let log: SystemLog
    /// Tells the events of this run from those of others.
    private let run: UInt32
    private let manager: ServiceManager
    private let pidFile: PidFile?
    private let exempt: ExemptSources
    private let wanted: WantedKinds

    /// Opens everything that needs root, or the file system.
    init(_ options: Options, _ exempt: consuming ExemptSources) throws(SystemError) {
        // First what needs no cleanup, so that few resources are open when something fails.
        let key = try HashKey.random()
        let run = try randomNumber()
        let account = try Account(named: CString(Parameters.user))
        let launch: Daemonization? = if options.foreground { nil } else { try Daemonization(of: "logger") }
        try SignalDescriptor.block()
        let directory = try openChrootDirectory()
        let pidFile: PidFile? = if let path = options.pidFile { try PidFile(path) } else { nil }
        try pidFile?.empty()  // a killed process may have left its id there
        self.key = key
        self.run = run
        self.exempt = exempt
        wanted = options.wantedKinds
        self.account = account
        self.launch = launch
        self.directory = directory
        self.pidFile = pidFile
        log = SystemLog(copyToStandardError: options.foreground, options.logForm)
        manager = connectToServiceManager()
        loadTimeZone()
    }

    /// Runs the detector with a backend.
    consuming func run(_ opened: consuming OpenBackend) throws(SystemError) -> Int32 {
        let (backend, failure) = (opened.backend, opened.failure)
        switch consume opened.capture {
        case .raw(let capture): return try run(capture, backend, insteadOf: failure)
        #if Ring
            case .ring(let capture): return try run(capture, backend, insteadOf: failure)
        #endif
        #if Pcap
            case .pcap(let capture): return try run(capture, backend, insteadOf: failure)
        #endif
        #if Nids
            case .nids(let capture): return try run(capture, backend, insteadOf: failure)
        #endif
        }
    }

    /// Forks into the two processes, and returns the exit status of the one it returns in.
    ///
    /// - Parameters:
    ///   - capture: the source of packets.
    ///   - backend: the backend of that source.
    ///   - failure: why it is not the preferred backend.
    private consuming func run<Source: PacketSource & ~Copyable>(
        _ capture: consuming Source, _ backend: Backend, insteadOf failure: SystemError?
    ) throws(SystemError) -> Int32 {
        let link = try SensorLink()  // last, so that descriptors closed after the fork leave low numbers free
        guard let sensor = try ChildProcess.fork("sensor") else {
            drop(launch)
            drop(pidFile)  // and its lock with it: that is to end with the logger
            drop(manager)
            return try runSensor(
                capture, backend, key: key, link: link.takeSensorEnd(), account: account, directory: directory,
                exempt: exempt, detecting: wanted)
        }
        drop(capture)
        return try runLogger(of: SensorProcess(sensor), link.takeLoggerEnd(), backend, insteadOf: failure)
    }

    /// Runs the logger's process, from the fork to its end.
    private consuming func runLogger(
        of sensor: consuming SensorProcess, _ link: consuming SensorLinkEnd, _ backend: Backend,
        insteadOf failure: SystemError?
    ) throws(SystemError) -> Int32 {
        drop(directory)

        // No longer root.
        let isFiltered = systemCallsAreFiltered  // the filter forbids the call that finds this out
        let signals = try confineLogger(to: account)
        var logger = Logger(signals, link, sensor, LogDelivery(log, run: run), manager)
        releaseUnusedStack()  // as in the sensor
        return try DetectorStart.run(
            &logger, pidFile, launch, backend, isFiltered: isFiltered, insteadOf: failure) ? 0 : 1
    }

    /// Reports readiness, and runs the logger.
    ///
    /// No owned resources end in here: the code to release them would follow each call that can throw.
    ///
    /// - Returns: whether it ended cleanly, as requested.
    private static func run(
        _ logger: inout Logger, _ pidFile: borrowing PidFile?, _ launch: consuming Daemonization?, _ backend: Backend,
        isFiltered: Bool, insteadOf failure: SystemError?
    ) throws(SystemError) -> Bool {
        guard try logger.sensorIsReady() else { return false }
        warnOfAbsentLog()
        do throws(SystemError) {
            try pidFile?.write(CurrentProcess.number)
            if let failure { logger.warn(insteadOfRing(failure)) }
            logger.logStart(backend: backend.name, isFiltered: isFiltered)
            switch consume launch {
            case .some(let launch): if try !launch.finish() { logger.stop() }
            case .none: break
            }

            // Started.
            let isClean = try logger.run()
            try pidFile?.empty()
            return isClean
        } catch {
            do throws(SystemError) { try pidFile?.empty() } catch {}  // the first error says more
            throw error
        }
    }
}

private func insteadOfRing(_ failure: SystemError) -> LogLine {
    var line = failure.line
    line.append("; raw sockets are used instead, which don't see what a firewall drops")
    return line
}

/// An unreachable service manager does not prevent a start: it notices that by itself.
private func connectToServiceManager() -> ServiceManager {
    do throws(SystemError) {
        return try ServiceManager()
    } catch {
        warn(error.line)
        return ServiceManager(none: ())
    }
}

/// At boot, syslogd may start after scanlogd.
private func warnOfAbsentLog() {
    do throws(SystemError) {
        _ = try LogSocket.identity()
    } catch {
        var line = error.line
        line.append("; lines are kept until it is there")
        warn(line)
    }
}
