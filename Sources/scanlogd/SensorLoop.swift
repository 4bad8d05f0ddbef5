import Capture
import CLinux
import ScanCore

/// What the daemon does all its life: waits for packets, hands them to the sensor, and obeys signals.
struct SensorLoop<Source: Capture & ~Copyable>: ~Copyable {
    private var capture: Source
    private var sensor: Sensor
    private let signals: Signals
    private let log: SystemLog

    /// Whether packets came a moment ago, so that more are let gather.
    private var isGathering = false
    /// Whether the last attempt to receive failed.
    private var isFailing = false
    /// When to ask the kernel what it dropped; `nil` when nothing came since it was asked.
    private var dropCheckDue: Timestamp?

    /// How long after packets the kernel is asked what it dropped, in nanoseconds: once for all that come meanwhile.
    private static var dropCheckDelay: Int64 { 60_000_000_000 }
    /// How long a receive that failed is left alone, in milliseconds: a fault that stays must not make us spin.
    private static var failurePause: Int32 { 1_000 }

    init(_ capture: consuming Source, _ sensor: consuming Sensor, _ signals: consuming Signals, log: SystemLog) {
        self.capture = capture
        self.sensor = sensor
        self.signals = signals
        self.log = log
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
        if isFailing {
            try signals.wait(or: -1, timeout: Self.failurePause)
        } else if isGathering {
            try signals.wait(or: -1, timeout: capture.gatherTime)
        } else {
            try signals.wait(or: capture.descriptor, timeout: dropCheckDue.map(milliseconds(until:)) ?? -1)
        }
    }

    private mutating func receive() {
        do throws(SystemError) {
            let received = try capture.receive(into: &sensor)
            isGathering = received > 0 && capture.gatherTime > 0
            if received > 0 && dropCheckDue == nil {
                dropCheckDue = Timestamp(nanoseconds: Timestamp.now().nanoseconds + Self.dropCheckDelay)
            }
            if isFailing { log.warn(LogLine("packets are received again")) }
            isFailing = false
        } catch {
            if !isFailing { log.warn(error.line) }
            isFailing = true
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
