import Capture
import ScanCore
import System

/// Runs the sensor's process, from the fork to its end.
///
/// - Parameters:
///   - capture: the source of packets.
///   - key: secret random numbers.
///   - backend: the backend of that source.
///   - link: the channels to the logger.
///   - exempt: the sources that are not to be reported.
///   - wanted: the kinds of scans to detect.
/// - Returns: never, once it is ready: the process exits, with 0 if a stop was requested.
/// - Throws: an error before it was ready, for standard error.
func runSensor<Source: PacketSource & ~Copyable>(
    _ capture: consuming Source, _ backend: Backend, key: HashKey, link: consuming SensorLinkEnd, account: Account,
    directory: consuming ChrootDirectory, exempt: consuming ExemptSources, detecting wanted: WantedKinds
) throws(SystemError) -> Int32 {
    var capture = capture
    let signals = try SignalDescriptor()
    let memory = try DetectorMemory(key: key)
    let touches: MinuteTouches? = if wanted.logsTouches { try MinuteTouches(key: key, isPaced: true) } else { nil }
    let monitored = MonitoredHost(wanted, by: backend, of: &memory.value.host, key: key)
    memory.value.detect(monitored.settings)
    try capture.admit(monitored.packets)
    try confineSensor(to: account, in: directory, backend)
    var log = SensorReporter(link)
    releaseUnusedStack()  // before it is ready: from then on it makes the calls of its loop only
    try log.notifyReady()
    if let warning = monitored.warning { log.warn(warning) }
    let packets = monitored.packets
    let pipeline = DetectionPipeline(
        memory, exempt, log: log, of: monitored.monitor, reportsEnds: wanted.reportsEnds, touches: touches)
    var loop = SensorLoop(capture, packets, signals, pipeline)
    do throws(SystemError) {
        try loop.run()
        return end(0)
    } catch {
        loop.logFailure(error)
        return end(1)
    }
}

/// Ends the process without closing anything: closing a capture takes system calls that the filter forbids.
private func end(_ status: Int32) -> Int32 {
    CurrentProcess.exit(status)
}
