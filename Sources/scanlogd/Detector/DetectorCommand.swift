import Capture
import ScanCore
import System

/// Runs the detector: opens everything as root, then goes on as two processes that have given root up, the sensor, which
/// looks at packets, and the logger, which logs what the sensor finds, until it is told to stop.
///
/// What fails before the end of the start-up leaves nothing behind; what an attacker can reach, the packets, is first
/// touched after it, as a user that owns nothing, in a directory that holds nothing.
///
/// - Returns: the exit status.
func detect(_ options: Options) throws(SystemError) -> Int32 {
    if !CurrentProcess.isRoot {
        throw SystemError("start", "check privileges", because: "only root can start scanlogd")
    }
    guard let exempt = try readExemptList(options) else { return ExitStatus.misconfigured }
    let start = try DetectorStart(options, exempt)
    switch options.backend {
    #if Ring
        case nil:
            return try detectInFirst(options, start)
        case .ring:
            let capture = try PacketSocketCapture(options.selection, key: start.key)
            return try start.run(capture, .ring)
    #endif
    #if Pcap
        case .pcap:
            let capture = try PcapCapture(options.selection, key: start.key)
            return try start.run(capture, .pcap)
    #endif
    #if Nids
        case .nids:
            let capture = try NidsCapture(options.selection, key: start.key)
            return try start.run(capture, .nids)
    #endif
    default:  // what is not built in was refused with the options
        return try detectInRawSockets(start)
    }
}

#if Ring
    /// Runs the detector with the backend that sees most of those that work.
    private func detectInFirst(_ options: Options, _ start: consuming DetectorStart) throws(SystemError) -> Int32 {
        let capture: PacketSocketCapture
        do throws(SystemError) {
            capture = try PacketSocketCapture(options.selection, key: start.key)
        } catch {
            if options.selectingOption != nil { throw error }  // raw sockets can't choose packets
            return try detectInRawSockets(start, insteadOf: error)
        }
        return try start.run(capture, .ring)
    }
#endif

private func detectInRawSockets(
    _ start: consuming DetectorStart, insteadOf failure: SystemError? = nil
) throws(SystemError) -> Int32 {
    let capture: RawSocketCapture
    do throws(SystemError) {
        capture = try openRawSockets()
    } catch {
        throw failure ?? error  // of what should have worked
    }
    return try start.run(capture, .raw, insteadOf: failure)
}

/// Opens raw sockets, as the parameters say.
func openRawSockets() throws(SystemError) -> RawSocketCapture {
    try RawSocketCapture(receiveBuffer: Parameters.receiveBuffer, gatherTime: Parameters.gatherTime)
}

/// A start on its way: what was opened as root, but for the place that packets come from.
private struct DetectorStart: ~Copyable {
    /// Secret random numbers, for all that an attacker must not foresee.
    let key: HashKey

    private let launch: Daemonization?
    private let account: Account
    private let directory: ChrootDirectory
    private let log: SystemLog
    private let format: ReportFormat
    private let manager: ServiceManager
    private let pidFile: PidFile?
    private let exempt: ExemptSources

    /// Opens everything that needs root, or the file system.
    init(_ options: Options, _ exempt: consuming ExemptSources) throws(SystemError) {
        // First what needs no end, so that little is open where something may fail.
        let key = try HashKey.random()
        let account = try Account(named: CString(Parameters.user))
        let launch: Daemonization? = if options.foreground { nil } else { try Daemonization(of: "logger") }
        try SignalDescriptor.block()
        let directory = try openChrootDirectory()
        let pidFile: PidFile? = if let path = options.pidFile { try PidFile(path) } else { nil }
        try pidFile?.empty()  // a process that was killed may have left its number
        self.key = key
        self.exempt = exempt
        self.account = account
        self.launch = launch
        self.directory = directory
        self.pidFile = pidFile
        log = SystemLog(copyToStandardError: options.foreground)
        format = options.reportFormat
        manager = connectToServiceManager()
        loadTimeZone()
    }

    /// Becomes the two processes, and returns the exit status of the one it is called in.
    ///
    /// - Parameters:
    ///   - capture: where packets come from.
    ///   - backend: which of them it is.
    ///   - failure: why it isn't the backend that sees more.
    consuming func run<Source: PacketSource & ~Copyable>(
        _ capture: consuming Source, _ backend: Backend, insteadOf failure: SystemError? = nil
    ) throws(SystemError) -> Int32 {
        let link = try SensorLink()  // last, so that what is closed after the fork leaves low numbers free
        guard let sensor = try ChildProcess.fork("sensor") else {
            drop(launch)
            drop(pidFile)  // and its lock with it: that is to end with the logger
            drop(manager)
            return try runSensor(
                capture, backend, key: key, link: link.takeSensorEnd(), account: account, directory: directory,
                exempt: exempt)
        }
        drop(capture)
        return try runLogger(of: SensorProcess(sensor), link.takeLoggerEnd(), backend, insteadOf: failure)
    }

    /// What the logger's process does, from the fork to its end.
    @inline(never)
    private consuming func runLogger(
        of sensor: consuming SensorProcess, _ link: consuming SensorLinkEnd, _ backend: Backend,
        insteadOf failure: SystemError?
    ) throws(SystemError) -> Int32 {
        drop(directory)

        // Root no more.
        let isFiltered = systemCallsAreFiltered  // to ask the kernel is a call that the filter forbids
        let signals = try confineLogger(to: account)
        var logger = Logger(signals, link, sensor, log, format, manager)
        return try DetectorStart.run(
            &logger, pidFile, launch, backend, isFiltered: isFiltered, insteadOf: failure) ? 0 : 1
    }

    /// Says that all is ready, and runs the logger.
    ///
    /// Nothing in it ends values that are open: that would stand behind each call that can fail.
    ///
    /// - Returns: whether it ended as somebody wanted it.
    @inline(never)
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

/// A manager that can't be reached is no reason not to start: it sees that for itself.
private func connectToServiceManager() -> ServiceManager {
    do throws(SystemError) {
        return try ServiceManager()
    } catch {
        warn(error.line)
        return ServiceManager(none: ())
    }
}

/// At boot syslogd may come after us.
private func warnOfAbsentLog() {
    do throws(SystemError) {
        _ = try LogSocket.identity()
    } catch {
        var line = error.line
        line.append("; lines are kept until it is there")
        warn(line)
    }
}
