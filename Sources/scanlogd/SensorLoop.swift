import Capture
import CLinux
import ScanCore

/// What the daemon does all its life: waits for packets, hands them to the sensor, and obeys signals.
struct SensorLoop<Source: Capture & ~Copyable>: ~Copyable {
    private var capture: Source
    private var sensor: Sensor<SystemLog>
    private let signals: Signals
    private let log: SystemLog

    /// How the last attempt to receive went.
    private var state = State.idle
    /// When to ask the kernel what it dropped; `nil` when nothing came since it was asked.
    private var dropCheckDue: Timestamp?

    private enum State {
        /// Nothing waited: wait for a packet.
        case idle
        /// Packets came, and all were taken: let more gather.
        case gathering
        /// More wait: take them at once.
        case behind
        /// It failed: a fault that stays must not make us spin.
        case failing
    }

    /// How long after packets the kernel is asked what it dropped, in nanoseconds: once for all that come meanwhile.
    private static var dropCheckDelay: Int64 { 60_000_000_000 }
    /// How long a receive that failed is left alone, in milliseconds.
    private static var failurePause: Int32 { 1_000 }

    init(_ capture: consuming Source, _ signals: consuming Signals, key: HashKey, log: SystemLog) {
        self.capture = capture
        self.signals = signals
        self.log = log
        sensor = Sensor(key: key, log: log)
    }

    /// Runs until a signal says to stop.
    mutating func run() throws(SystemError) {
        while true {
            try wait()
            while let request = signals.next() {
                if request == .stop {
                    checkDrops()
                    return
                }
            }
            receive()
            if let due = dropCheckDue, Timestamp.now() >= due { checkDrops() }
        }
    }

    private func wait() throws(SystemError) {
        switch state {
        case .idle: try signals.wait(or: capture.descriptor, timeout: dropCheckDue.map(milliseconds(until:)) ?? -1)
        case .gathering: try signals.wait(or: -1, timeout: capture.gatherTime)
        case .behind: break
        case .failing: try signals.wait(or: -1, timeout: Self.failurePause)
        }
    }

    private mutating func receive() {
        let hadFailed = state == .failing
        do throws(SystemError) {
            let reception = try capture.receive(into: &sensor)
            switch reception {
            case .nothing: state = .idle
            case .all: state = capture.gatherTime > 0 ? .gathering : .idle
            case .batch: state = .behind
            }
            if reception != .nothing { expectDrops() }
            if hadFailed { log.warn(LogLine("packets are received again")) }
        } catch {
            state = .failing
            if !hadFailed { log.warn(error.line) }
        }
    }

    private mutating func expectDrops() {
        if dropCheckDue == nil {
            dropCheckDue = Timestamp(nanoseconds: Timestamp.now().nanoseconds + Self.dropCheckDelay)
        }
    }

    /// Says how many packets were lost since this was last asked, if any were.
    private mutating func checkDrops() {
        dropCheckDue = nil
        do throws(SystemError) {
            let new = sensor.noteDropped(try capture.droppedByKernel())
            if new > 0 {
                var line = LogLine()
                line.append(decimal: new)
                line.append(" packets dropped by the kernel: more came than could be received")
                log.warn(line)
            }
        } catch {
            log.warn(error.line)
        }
    }
}

/// How many milliseconds there are until a point in time, rounded up.
private func milliseconds(until due: Timestamp) -> Int32 {
    Int32(clamping: max(0, due.nanoseconds - Timestamp.now().nanoseconds) / 1_000_000 + 1)
}
