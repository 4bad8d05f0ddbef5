import Capture
import CLinux
import CSeccomp
import ScanCore

/// Runs the detector: opens everything as root, then goes on as two processes that have given root up, the sensor, which
/// looks at packets, and the writer, which logs what the sensor finds, until it is told to stop.
///
/// What fails before the end of the start-up leaves nothing behind; what an attacker can reach, the packets, is first
/// touched after it, as a user that owns nothing, in a directory that holds nothing.
///
/// - Returns: the exit status.
func detect(_ options: Options) throws(SystemError) -> Int32 {
    if let problem = Parameters.problem { throw SystemError("parameters", "check", because: ConstantText(problem)) }
    if geteuid() != 0 { throw SystemError("start", "check privileges", because: "only root can start scanlogd") }
    let start = try DetectorStart(options)
    let key = start.key
    switch options.backend {
    case .ring:
        #if Ring
            return try start.run(try PacketSocketCapture(options.selection, key: key), .ring, cseccomp_confine_ring)
        #else
            throw Backend.ring.isAbsent
        #endif
    case .raw:
        return try detectInRawSockets(start)
    case .pcap:
        #if Pcap
            return try start.run(try PcapCapture(options.selection, key: key), .pcap, cseccomp_confine_pcap)
        #else
            throw Backend.pcap.isAbsent
        #endif
    case .nids:
        #if Nids
            return try start.run(try NidsCapture(options.selection, key: key), .nids, cseccomp_confine_pcap)
        #else
            throw Backend.nids.isAbsent
        #endif
    case nil:
        #if Ring
            return try detectInFirst(options, start)
        #else
            return try detectInRawSockets(start)
        #endif
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
        return try start.run(capture, .ring, cseccomp_confine_ring)
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
    return try start.run(capture, .raw, cseccomp_confine_raw, insteadOf: failure)
}

/// Opens raw sockets, as the parameters say.
func openRawSockets() throws(SystemError) -> RawSocketCapture {
    try RawSocketCapture(receiveBuffer: Parameters.receiveBuffer, gatherTime: Parameters.gatherTime)
}

/// A start on its way: what was opened as root, but for the place that packets come from.
private struct DetectorStart: ~Copyable {
    /// Secret random numbers, for all that an attacker must not foresee.
    let key: HashKey

    private let launch: Launch?
    private let account: Account
    private let directory: ChrootDirectory
    private let log: SystemLog
    private let manager: ServiceManager
    private let pidFile: PidFile?

    /// Opens everything that needs root, or the file system.
    init(_ options: Options) throws(SystemError) {
        let launch: Launch? = if options.foreground { nil } else { try Launch() }
        try Signals.block()
        let account = try Account(named: ConstantText(Parameters.user))
        let directory = try ChrootDirectory(ConstantText(Parameters.chrootDirectory))
        let log = SystemLog(copyToStandardError: options.foreground)
        let manager = connectToServiceManager()
        loadTimeZone()
        let pidFile: PidFile? = if let path = options.pidFile { try PidFile(path) } else { nil }
        let key = try HashKey.random()
        self.key = key
        self.launch = launch
        self.account = account
        self.directory = directory
        self.log = log
        self.manager = manager
        self.pidFile = pidFile
    }

    /// Becomes the two processes, and returns the exit status of the one it is called in.
    ///
    /// - Parameters:
    ///   - capture: where packets come from.
    ///   - filterSystemCalls: leaves a sensor the system calls that the capture needs.
    ///   - failure: why it isn't the backend that sees more.
    consuming func run<Source: Capture & ~Copyable>(
        _ capture: consuming Source, _ backend: Backend, _ filterSystemCalls: () -> Int32,
        insteadOf failure: SystemError? = nil
    ) throws(SystemError) -> Int32 {
        let link = try Link()  // last, so that what is closed after the fork leaves low numbers free
        let child = try check("sensor", "fork", fork)
        if child == 0 {
            letGo(launch)
            letGo(pidFile)  // and its lock with it: that is to end with the writer
            letGo(manager)
            return try runSensor(
                capture, key: key, filterSystemCalls: filterSystemCalls, link: link.takeSensorEnd(), account: account,
                directory: directory)
        }
        letGo(capture)
        return try runWriter(of: SensorProcess(child), link.takeWriterEnd(), backend, insteadOf: failure)
    }

    /// What the writer's process does, from the fork to its end.
    private consuming func runWriter(
        of sensor: consuming SensorProcess, _ link: consuming LinkEnd, _ backend: Backend,
        insteadOf failure: SystemError?
    ) throws(SystemError) -> Int32 {
        letGo(directory)

        // Root no more.
        let signals = try Signals()
        let isFiltered = systemCallsAreFiltered  // to ask the kernel is a call that the filter forbids
        try confineWriter(to: account)
        var writer = Writer(signals, link, sensor, log, manager)
        guard try writer.sensorIsReady() else { return 1 }
        warnOfAbsentLog()
        try pidFile?.write(getpid())
        if let failure { writer.warn(insteadOfRing(failure)) }
        writer.logStart(backend: backend.name, isFiltered: isFiltered)
        switch consume launch {
        case .some(let launch): try launch.finish()
        case .none: break
        }

        // Started.
        let isClean = try writer.run()
        try pidFile?.empty()
        return isClean ? 0 : 1
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
        complain(error.line)
        return ServiceManager(none: ())
    }
}

/// At boot syslogd may come after us.
private func warnOfAbsentLog() {
    do throws(SystemError) {
        _ = try LogSocket.look()
    } catch {
        var line = error.line
        line.append("; lines are kept until it is there")
        complain(line)
    }
}
