import Capture
import CLinux
import ScanCore

/// What the sensor's process does, from the fork to its end.
///
/// - Parameters:
///   - capture: where packets come from.
///   - key: secret random numbers.
///   - backend: which of them it is.
///   - link: the way to the writer.
///   - exempt: the sources that are not to be reported.
/// - Returns: never, once it is ready: the process ends, with 0 if somebody told it to.
/// - Throws: what went wrong before it was ready, for standard error.
func runSensor<Source: Capture & ~Copyable>(
    _ capture: consuming Source, _ backend: Backend, key: HashKey, link: consuming LinkEnd, account: Account,
    directory: consuming ChrootDirectory, exempt: consuming ExemptList
) throws(SystemError) -> Int32 {
    let signals = try Signals()
    let memory = try DetectorMemory(key: key)
    try confineSensor(to: account, in: directory, backend)
    let log = SensorLog(link)
    try log.sayReady()
    var loop = SensorLoop(capture, signals, memory, exempt, log: log)
    do throws(SystemError) {
        try loop.run()
        return end(0)
    } catch {
        loop.giveUp(error)
        return end(1)
    }
}

/// Ends the process with all that is open: what takes a capture down are calls that the filter forbids.
@inline(never)
private func end(_ status: Int32) -> Int32 {
    _exit(status)
}
