import Capture
import ScanCore
import System

/// The logger process: writes the sensor's reports and lines to the system log, queues those that this does not accept,
/// and watches the sensor.
struct Logger: ~Copyable {
    private let signals: SignalDescriptor
    private let link: SensorLinkEnd
    private var sensor: SensorProcess
    private var log: LogDelivery
    private let manager: ServiceManager

    /// Whether the sensor has closed its end of the data or control channel: nothing more will come over it.
    private var dataEnded = false
    private var controlEnded = false
    /// Whether the sensor violated the protocol.
    private var sensorIsWrong = false

    /// When deferred actions are due; `nil`: not scheduled.
    private var heartbeatRequestDue: Timestamp?
    private var statusDue: Timestamp?
    private var killDue: Timestamp?
    /// Set once the last line is in the queue: when to exit even if lines are left in it.
    private var endDue: Timestamp?

    /// How long the sensor may take to exit, in nanoseconds.
    private static let patience: Int64 = 2_000_000_000
    /// How long the last lines may wait for the system log, in nanoseconds.
    private static let lastWait: Int64 = 3_000_000_000
    /// The maximum number of messages handled at a time, so that signals are not delayed.
    private static let batch = 64

    init(
        _ signals: consuming SignalDescriptor, _ link: consuming SensorLinkEnd, _ sensor: consuming SensorProcess,
        _ log: consuming LogDelivery, _ manager: consuming ServiceManager
    ) {
        self.signals = signals
        self.link = link
        self.sensor = sensor
        self.log = log
        self.manager = manager
    }

    /// Waits until the sensor is ready, or prints why its start failed.
    mutating func sensorIsReady() throws(SystemError) -> Bool { try sensor.isReady(on: link.control) }

    /// Logs the start, and notifies the service manager.
    ///
    /// - Parameters:
    ///   - backend: the name of the backend.
    ///   - isFiltered: whether system calls are filtered.
    mutating func logStart(backend: CString, isFiltered: Bool) {
        var line = LogLine("started, version ")
        line.append(version)
        line.append(", backend ")
        line.append(backend)
        if !isFiltered { line.append(", system calls not filtered") }
        log.add(line, .start, level: SyslogLevel.info)
        manager.notifyReady()
        heartbeatRequestDue = manager.interval.map { _ in .now() }
        planStatus()
    }

    /// Logs a warning.
    mutating func warn(_ line: LogLine) {
        log.add(line, level: SyslogLevel.warning)
    }

    /// Runs until the sensor has ended and its lines are logged.
    ///
    /// - Returns: whether the sensor ended cleanly, as requested, and no line was lost.
    mutating func run() throws(SystemError) -> Bool {
        log.deliver()
        while !isOver {
            let happened = try wait()
            if happened.happened(Place.signals) { handleSignals() }
            if happened.happened(Place.control) { controlEnded = receive(ofData: false) }
            if happened.happened(Place.data) { dataEnded = receive(ofData: true) }
            if endDue == nil { handleSensorEnd() }
            runDueTasks()
            log.deliver()
        }
        return log.printUndelivered() && !sensorIsWrong && sensor.end?.isClean == true
    }

    // MARK: Waiting

    /// The slots of the poll set.
    private enum Place {
        static let signals = 0
        static let control = 1
        static let data = 2
    }

    private func wait() throws(SystemError) -> PollSet<5> {
        var waiting = PollSet<5>()
        waiting.watch(Place.signals, signals.number)
        if !controlEnded { waiting.watch(Place.control, link.control.number) }
        if !dataEnded { waiting.watch(Place.data, link.data.number) }
        try waiting.wait(timeout: timeout)
        return waiting
    }

    private var timeout: Int32 {
        var first = Timestamp.earlier(log.retryDue, heartbeatRequestDue)
        first = .earlier(first, statusDue)
        first = .earlier(first, killDue)
        first = .earlier(first, endDue)
        return first?.millisecondsFromNow ?? -1
    }

    private mutating func runDueTasks() {
        let now = Timestamp.now()
        if let due = killDue, now >= due {
            killDue = nil
            sensor.kill()
        }
        if let due = heartbeatRequestDue, now >= due {
            send(.heartbeatRequest)
            heartbeatRequestDue = manager.interval.map { .fromNow($0) }
        }
        if let due = statusDue, now >= due {
            askForStatus()
            planStatus()
        }
    }

    private mutating func planStatus() {
        statusDue = Parameters.statusInterval > 0 ? .fromNow(Parameters.statusInterval) : nil
    }

    // MARK: The sensor

    private mutating func handleSignals() {
        while let request = signals.next() {
            switch request {
            case .stop: stop()
            case .logStatus: askForStatus()
            case .collectChild: sensor.reapIfEnded()
            case .runTestHook: runTestHook()
            case .reload: break
            }
        }
    }

    /// Starts the shutdown.
    mutating func stop() {
        if killDue != nil || endDue != nil { return }
        manager.notifyStopping()
        send(.stop)
        killDue = .fromNow(Self.patience)
    }

    private mutating func askForStatus() {
        send(.logStatus, number: UInt32(clamping: log.lost))
    }

    /// Sends the sensor a control message. Errors are ignored: a sensor that does not read is noticed by the missing
    /// effect.
    private func send(_ kind: Message.Kind, number: UInt32 = 0) {
        do throws(SystemError) {
            _ = try link.control.send(Message(kind, number: number))
        } catch {}
    }

    /// Receives messages of the sensor over one of the channels, at most a batch.
    ///
    /// - Returns: whether the end of that channel was reached.
    private mutating func receive(ofData: Bool) -> Bool {
        var message = Message(.ready)
        for _ in 0..<Self.batch {
            do throws(SystemError) {
                switch ofData ? try link.data.receive(&message) : try link.control.receive(&message) {
                case .message: break
                case .nothing: return false
                case .end: return true
                }
            } catch {
                killSensor(because: error)
                return true
            }
            handle(message)
        }
        return false
    }

    private mutating func handle(_ message: Message) {
        switch message.kind {
        case .line: log.add(message.text, level: message.level, losses: message.number)
        case .report, .end, .suppression, .status: log.add(line(of: message), message.content, level: message.level)
        case .touch: log.add(eventOnly: message.content, level: message.level)
        case .heartbeat: manager.notifyAlive(message.text)
        case .ready, .heartbeatRequest, .logStatus, .stop, .reopen: break
        }
    }

    private func line(of message: Message) -> LogLine {
        switch message.content {
        case .scan(let report): return LogLine(local: report)
        case .end(let end): return LogLine(local: end)
        case .status(let status):
            var line = LogLine("status: ")
            line.append(LogLine(status))
            return line
        case .summary, .attempt, .touch, .start, .stop, .fault: return message.text
        }
    }

    /// Kills a sensor that violated the protocol.
    private mutating func killSensor(because error: SystemError) {
        sensorIsWrong = true
        log.add(error.line, level: SyslogLevel.critical)
        sensor.kill()
    }

    /// Logs how the sensor ended, after all of its messages.
    private mutating func handleSensorEnd() {
        if !dataEnded || !controlEnded { return }
        sensor.reapIfEnded()
        guard let end = sensor.end else {
            if killDue == nil { killDue = .fromNow(Self.patience) }
            return
        }
        killDue = nil
        heartbeatRequestDue = nil
        statusDue = nil
        if end.isClean {
            log.add(LogLine("stopped"), .stop, level: SyslogLevel.info)
        } else {
            log.add(end.line, level: SyslogLevel.critical)
        }
        log.retryAtOnce()
        endDue = .fromNow(Self.lastWait)
    }

    // MARK: The log

    private var isOver: Bool {
        guard let endDue else { return false }
        return log.isDone || Timestamp.now() >= endDue
    }
}
