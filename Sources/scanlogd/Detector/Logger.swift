import Capture
import ScanCore
import System

/// What the writer does all its life: logs the sensor's lines, keeps those that the system log does not take, and sees
/// to it that the sensor lives.
struct Writer: ~Copyable {
    private let signals: SignalDescriptor
    private let link: SensorLinkEnd
    private var sensor: SensorProcess
    private var log: LogDelivery
    private let manager: ServiceManager

    /// The sensor has closed its end of the link, of the lines or of the words: nothing more will come.
    private var linesEnded = false
    private var wordsEnded = false
    /// The sensor did what it never does.
    private var sensorIsWrong = false

    /// When to do the things that wait; `nil`: not to be done.
    private var heartbeatRequestDue: Timestamp?
    private var statusDue: Timestamp?
    private var killDue: Timestamp?
    /// Set once the last line is in the queue: when to end with lines in it.
    private var giveUpDue: Timestamp?

    /// How long the sensor may take to end, in nanoseconds.
    private static let patience: Int64 = 2_000_000_000
    /// How long the last lines may wait for the system log, in nanoseconds.
    private static let lastWait: Int64 = 3_000_000_000
    /// The most records taken at a time, so that signals are not kept waiting.
    private static let batch = 64

    init(
        _ signals: consuming SignalDescriptor, _ link: consuming SensorLinkEnd, _ sensor: consuming SensorProcess,
        _ log: SystemLog,
        _ manager: consuming ServiceManager
    ) {
        self.signals = signals
        self.link = link
        self.sensor = sensor
        self.log = LogDelivery(log)
        self.manager = manager
    }

    @inline(never)  // for it would stand wherever a start may end
    deinit {}

    /// Waits until the sensor is ready; it is not if it ended, and said why.
    mutating func sensorIsReady() throws(SystemError) -> Bool {
        var waiting = PollSet<5>()
        waiting.watch(0, link.words.number)
        try waiting.wait(timeout: 10_000)
        if !waiting.happened(0) { throw SystemError("sensor", "start", because: "it takes too long") }
        var word = Message(.line)
        if try link.words.receive(&word) == .record && word.kind == .ready { return true }
        try sensor.waitForEnd().warnOfStart()
        return false
    }

    /// Logs that all is ready, and tells the service manager.
    ///
    /// - Parameters:
    ///   - backend: where packets come from.
    ///   - isFiltered: whether system calls are filtered.
    mutating func logStart(backend: CString, isFiltered: Bool) {
        var line = LogLine("started, version ")
        line.append(version)
        line.append(", backend ")
        line.append(backend)
        if !isFiltered { line.append(", system calls not filtered") }
        log.add(line, level: SyslogLevel.info)
        manager.notifyReady()
        heartbeatRequestDue = manager.interval.map { _ in .now() }
        planStatus()
    }

    /// Logs what an administrator should look after.
    mutating func warn(_ line: LogLine) {
        log.add(line, level: SyslogLevel.warning)
    }

    /// Runs until the sensor has ended and its lines are logged.
    ///
    /// - Returns: whether that is as somebody wanted it, and no line was lost.
    mutating func run() throws(SystemError) -> Bool {
        log.deliver()
        while !isOver {
            let happened = try wait()
            if happened.happened(Place.signals) { obeySignals() }
            if happened.happened(Place.words) { wordsEnded = receive(fromLines: false) }
            if happened.happened(Place.lines) { linesEnded = receive(fromLines: true) }
            if giveUpDue == nil { noticeEnd() }
            keepAppointments()
            log.deliver()
        }
        return log.printUndelivered() && !sensorIsWrong && sensor.end?.isClean == true
    }

    // MARK: Waiting

    /// The places of what is waited for.
    private enum Place {
        static let signals = 0
        static let words = 1
        static let lines = 2
    }

    private func wait() throws(SystemError) -> PollSet<5> {
        var waiting = PollSet<5>()
        waiting.watch(Place.signals, signals.number)
        if !wordsEnded { waiting.watch(Place.words, link.words.number) }
        if !linesEnded { waiting.watch(Place.lines, link.lines.number) }
        try waiting.wait(timeout: timeout)
        return waiting
    }

    private var timeout: Int32 {
        var first = Timestamp.earlier(log.retryDue, heartbeatRequestDue)
        first = .earlier(first, statusDue)
        first = .earlier(first, killDue)
        first = .earlier(first, giveUpDue)
        return first?.millisecondsFromNow ?? -1
    }

    private mutating func keepAppointments() {
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

    private mutating func obeySignals() {
        while let request = signals.next() {
            switch request {
            case .stop: stop()
            case .logStatus: askForStatus()
            case .collectChild: sensor.look()
            case .runTestHook: runTestHook()
            case .reload: break
            }
        }
    }

    /// Sees to it that all comes to an end.
    @inline(never)
    mutating func stop() {
        if killDue != nil || giveUpDue != nil { return }
        manager.notifyStopping()
        send(.stop)
        killDue = .fromNow(Self.patience)
    }

    private mutating func askForStatus() {
        send(.logStatus, number: UInt32(clamping: log.lost))
    }

    /// A sensor that does not listen will be noticed by what it does not do.
    @inline(never)
    private func send(_ word: Message.Kind, number: UInt32 = 0) {
        do throws(SystemError) {
            _ = try link.words.send(Message(word, number: number))
        } catch {}
    }

    /// Takes what the sensor has sent over one of the channels, not all if it is much.
    ///
    /// - Returns: whether that channel has come to its end.
    @inline(never)
    private mutating func receive(fromLines: Bool) -> Bool {
        var record = Message(.ready)
        for _ in 0..<Self.batch {
            do throws(SystemError) {
                switch fromLines ? try link.lines.receive(&record) : try link.words.receive(&record) {
                case .record: break
                case .nothing: return false
                case .end: return true
                }
            } catch {
                refuse(error)
                return true
            }
            switch record.kind {
            case .line: log.add(record.text, level: record.level, losses: record.number)
            case .heartbeat: manager.notifyAlive(record.text)
            case .ready, .heartbeatRequest, .logStatus, .stop, .reopen: break
            }
        }
        return false
    }

    /// Ends a sensor that is not itself any more.
    private mutating func refuse(_ error: SystemError) {
        sensorIsWrong = true
        log.add(error.line, level: SyslogLevel.critical)
        sensor.kill()
    }

    /// Says how the sensor ended, after all that it had to say.
    private mutating func noticeEnd() {
        if !linesEnded || !wordsEnded { return }
        sensor.look()
        guard let end = sensor.end else {
            if killDue == nil { killDue = .fromNow(Self.patience) }
            return
        }
        killDue = nil
        heartbeatRequestDue = nil
        statusDue = nil
        if end.isClean {
            log.add(LogLine("stopped"), level: SyslogLevel.info)
        } else {
            log.add(end.line, level: SyslogLevel.critical)
        }
        log.retryAtOnce()
        giveUpDue = .fromNow(Self.lastWait)
    }

    // MARK: The log

    private var isOver: Bool {
        guard let giveUpDue else { return false }
        return log.isDone || Timestamp.now() >= giveUpDue
    }
}
