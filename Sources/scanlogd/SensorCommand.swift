import Capture
import CLinux
import CSeccomp
import ScanCore

/// What the sensor's process does, from the fork to its end.
///
/// - Parameters:
///   - capture: where packets come from.
///   - key: secret random numbers.
///   - filterSystemCalls: leaves it the system calls that the capture needs: one of `cseccomp_confine_`.
///   - link: the way to the writer.
/// - Returns: the exit status: 0 if somebody told it to end.
/// - Throws: what went wrong before it was ready, for standard error.
func runSensor<Source: Capture & ~Copyable>(
    _ capture: consuming Source, key: HashKey, filterSystemCalls: () -> Int32, link: consuming LinkEnd,
    account: Account, directory: consuming ChrootDirectory
) throws(SystemError) -> Int32 {
    let signals = try Signals()
    try confineSensor(to: account, in: directory, filterSystemCalls: filterSystemCalls)
    let log = SensorLog(link)
    try log.sayReady()
    var loop = SensorLoop(capture, signals, key: key, log: log)
    do throws(SystemError) {
        try loop.run()
        return 0
    } catch {
        loop.giveUp(error)
        return 1
    }
}
