import Capture
import ScanCore
import System

/// The main loop of the sensor: waits for packets, passes them to the detector, and handles signals and the logger's
/// requests.
struct SensorLoop<Source: PacketSource & ~Copyable>: ~Copyable {
    private var capture: Source
    /// Which packets the kernel lets pass that are no TCP probes.
    private var others: OtherPackets
    private var sensor: DetectionPipeline<SensorReporter>
    private let signals: SignalDescriptor

    /// The result of the last receive that succeeded.
    private var state = State.idle
    private var retry = ReceiveRetry()
    private var drops: DropReporter
    /// How many lines the logger has lost, as it last reported.
    private var lostByLogger: UInt64 = 0
    /// The report counter as last sent; `nil` until the logger has asked for the counters.
    private var reportsShown: UInt64?
    /// When to send the counters unrequested; `nil`: no scan was found since they were last sent.
    private var heartbeatDue: Timestamp?

    private enum State {
        /// No packets waited: wait for one.
        case idle
        /// Packets came, and all were taken: let more accumulate.
        case gathering
        /// More packets are waiting: take them at once.
        case behind
    }

    /// How long after packets the kernel's drop counter is read, in nanoseconds: once for all packets in that time.
    private static var dropCheckDelay: Int64 { 1_000_000_000 }
    /// How long after a scan was found the counters are sent, in nanoseconds: once for all scans in that time.
    private static var heartbeatDelay: Int64 { 1_000_000_000 }

    init(
        _ capture: consuming Source, _ others: OtherPackets, _ signals: consuming SignalDescriptor,
        _ sensor: consuming DetectionPipeline<SensorReporter>
    ) {
        drops = DropReporter(capture.makeDropCounter(), prefix: "", delay: Self.dropCheckDelay)
        self.capture = capture
        self.others = others
        self.signals = signals
        self.sensor = sensor
    }

    /// Runs until a stop is requested.
    ///
    /// - Throws: an error if the logger is gone, or poll(2) fails.
    mutating func run() throws(SystemError) {
        while try !mustStop(wait()) {
            receive()
            followHost()
            if drops.due != nil && drops.isDue(at: .now()) { reportDrops() }
            if sensor.nextLineDue != nil { sensor.logSuppressed(at: .now()) }
            if let due = heartbeatDue, Timestamp.now() >= due { showReports() }
            if sensor.nextTouchDue != nil { sensor.logTouches(at: .now()) }
        }
        reportDrops()
        sensor.logSuppressed(at: .now(), atExit: true)
        sensor.logTouches(at: .now(), atExit: true)
        sensor.log.reportLastLosses()
    }

    /// Logs why the loop ended.
    mutating func logFailure(_ error: SystemError) {
        sensor.log.reportLastLosses()
        sensor.log.logFailure(error.line)
    }

    // MARK: Waiting

    /// The slots of the poll set.
    private enum Place {
        static var signals: Int { 0 }
        static var control: Int { 1 }
        static var data: Int { 2 }
        static var packets: Int { 3 }
        static var addresses: Int { 4 }
    }

    private mutating func wait() throws(SystemError) -> PollSet<5> {
        var waiting = PollSet<5>()
        waiting.watch(Place.signals, signals.number)
        waiting.watch(Place.control, sensor.log.control)
        waiting.watch(Place.data, sensor.log.data, for: sensor.log.wantsRoom ? PollEvents.writable : PollEvents.none)
        if state == .idle && !retry.isFailing { waiting.watch(Place.packets, capture.descriptor) }
        waiting.watch(Place.addresses, sensor.addressChanges)
        try waiting.wait(timeout: timeout)
        return waiting
    }

    // Mutating, like the next one, so that the compiler (Swift 6.3) does not copy the whole sensor.
    private var timeout: Int32 {
        mutating get {
            if retry.isFailing { return Int32(ReceiveRetry.pause / 1_000_000) }
            switch state {
            case .idle: return firstDue?.millisecondsFromNow ?? -1
            case .gathering: return capture.gatherTime
            case .behind: return 0
            }
        }
    }

    /// When the next deferred action is due.
    private var firstDue: Timestamp? {
        mutating get { .earlier(.earlier(.earlier(drops.due, heartbeatDue), sensor.nextLineDue), sensor.nextTouchDue) }
    }

    // MARK: Requests

    private mutating func mustStop(_ happened: PollSet<5>) throws(SystemError) -> Bool {
        if happened.isBroken(Place.data) { throw Self.loggerIsGone }
        if happened.happened(Place.data) { sensor.log.reportLosses() }
        if happened.happened(Place.signals) {
            while let request = signals.next() {
                switch request {
                case .stop: return true
                case .logStatus: logStatus()
                case .runTestHook: runTestHook()
                case .collectChild, .reload: break
                }
            }
        }
        if happened.happened(Place.addresses) { sensor.updateAddresses() }
        if !happened.happened(Place.control) { return false }
        return try handleControlMessages()
    }

    private mutating func handleControlMessages() throws(SystemError) -> Bool {
        var message = Message(.line)
        while true {
            switch try sensor.log.nextMessage(&message) {
            case .message: break
            case .nothing: return false
            case .end: throw Self.loggerIsGone
            }
            switch message.kind {
            case .stop: return true
            case .logStatus:
                lostByLogger = UInt64(message.number)
                logStatus()
            case .heartbeatRequest:
                reportsShown = reportsShown ?? sensor.detector.counters.reports
                sensor.log.sendHeartbeat(currentStatus())
            case .line, .report, .suppression, .end, .status, .touch, .ready, .heartbeat, .reopen: break  // not for us
            }
        }
    }

    private static var loggerIsGone: SystemError {
        SystemError("logger", "hand over lines", because: "it has ended")
    }

    private mutating func logStatus() {
        let status = currentStatus()
        sensor.log.log(status)
    }

    private mutating func showReports() {
        heartbeatDue = nil
        reportsShown = sensor.detector.counters.reports
        sensor.log.sendHeartbeat(currentStatus())
    }

    private mutating func currentStatus() -> StatusCounts {
        updateDrops()
        sensor.setFragments(capture.fragments)
        return sensor.status(lost: sensor.log.lost + lostByLogger)
    }

    // MARK: Receiving

    private mutating func receive() {
        do throws(SystemError) {
            let reception = try capture.receive(into: &sensor)
            sensor.judge()
            switch reception {
            case .nothing: state = .idle
            case .all: state = capture.gatherTime > 0 ? .gathering : .idle
            case .batch, .full: state = .behind
            }
            if reception != .nothing {
                if drops.due == nil { drops.expect(at: .now()) }
                expectReports()
            }
            if retry.recordSuccess() { sensor.log.warn(LogLine("packets are received again")) }
        } catch {
            sensor.judge()
            if retry.recordFailure(at: .now()) { sensor.log.warn(error.line) }
        }
    }

    /// Looks which ports the host has open when something came for one that had none, at most once a second, and lets
    /// pass what is for closed ones only.
    private mutating func followHost() {
        if sensor.detector.host.isTriedInVain { sensor.updatePorts() }
        if !sensor.hostIsUpdated { return }
        sensor.hostIsUpdated = false
        sensor.detector.host.isTriedInVain = false
        let firstClientPort = sensor.detector.settings.firstClientPort
        if !others.update(&sensor.detector.host, firstClientPort: firstClientPort) { return }
        do throws(SystemError) {
            try capture.admit(others)
        } catch {
            sensor.log.warn(error.line)
        }
    }

    /// Schedules sending the counters if they count another scan, and if the logger wants them at all.
    private mutating func expectReports() {
        guard heartbeatDue == nil, let shown = reportsShown else { return }
        if sensor.detector.counters.reports != shown { heartbeatDue = .fromNow(Self.heartbeatDelay) }
    }

    /// Logs how many packets were dropped since the last such message, if any were.
    private mutating func reportDrops() {
        do throws(SystemError) {
            if let line = try drops.message(at: .now()) { sensor.log.warn(line) }
        } catch {
            sensor.log.warn(error.line)
        }
        sensor.setDropped(drops.total)
    }

    private mutating func updateDrops() {
        do throws(SystemError) {
            try drops.update(at: .now())
        } catch {
            sensor.log.warn(error.line)
        }
        sensor.setDropped(drops.total)
    }
}
