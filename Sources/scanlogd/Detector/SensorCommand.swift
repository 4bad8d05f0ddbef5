import Capture
import ScanCore
import System

/// What the sensor's process does, from the fork to its end.
///
/// - Parameters:
///   - capture: where packets come from.
///   - key: secret random numbers.
///   - backend: which of them it is.
///   - link: the way to the logger.
///   - exempt: the sources that are not to be reported.
/// - Returns: never, once it is ready: the process ends, with 0 if somebody told it to.
/// - Throws: what went wrong before it was ready, for standard error.
func runSensor<Source: PacketSource & ~Copyable>(
    _ capture: consuming Source, _ backend: Backend, key: HashKey, link: consuming SensorLinkEnd, account: Account,
    directory: consuming ChrootDirectory, exempt: consuming ExemptSources
) throws(SystemError) -> Int32 {
    let signals = try SignalDescriptor()
    let memory = try DetectorMemory(key: key)
    try confineSensor(to: account, in: directory, backend)
    let log = SensorReporter(link)
    try log.notifyReady()
    var loop = SensorLoop(capture, signals, memory, exempt, log: log)
    do throws(SystemError) {
        try loop.run()
        return end(0)
    } catch {
        loop.logFailure(error)
        return end(1)
    }
}

/// Ends the process with all that is open: what takes a capture down are calls that the filter forbids.
@inline(never)
private func end(_ status: Int32) -> Int32 {
    CurrentProcess.exit(status)
}
