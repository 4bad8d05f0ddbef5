import CLinux
import ScanCore

/// Measures what a packet costs from its bytes to the verdict: for each ``Traffic``, by how full the tables are and how
/// many kinds of scans are on, and for the worst that a ``Hunt`` finds.
///
/// Prints a line of tab-separated columns for each: its name, nanoseconds per packet as the median and the least of the
/// rounds, and how many packets were seen as scans, so that nobody measures a detector that does nothing. An argument is
/// the beginning of the names of those to measure.
@c(core_benchmark_main)
public func start(_ argumentCount: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    let wanted = unsafe bytes(argumentCount < 2 ? nil : arguments[1])
    print("kind\tmedian_ns\tleast_ns\treports")
    for traffic in Traffic.allCases { show(traffic.name, Packets(TrafficPlan(traffic)), if: wanted) }
    for hundredths in [1, 25, 50, 100] {
        let recipe = Recipe(sources: Parameters.Detector.probationCapacity * hundredths / 100, ports: 1)
        show("fill-\(hundredths)", Packets(recipe), if: wanted)
    }
    let flood = TrafficPlan(.randomSources)
    show("kinds-1", Packets(flood), .none, if: wanted)
    var kinds = ScanKinds.none
    kinds.insert(.quick)
    kinds.insert(.slow)
    show("kinds-2", Packets(flood), kinds, if: wanted)
    show("kinds-9", Packets(flood), if: wanted)
    if "hunt".utf8.starts(with: wanted) {
        var hunt = Hunt()
        let worst = hunt.run()
        show("hunt: \(worst.description)", Packets(worst), if: [])
    }
    return 0
}

/// Measures packets, and prints the line.
private func show(
    _ name: String, _ packets: consuming Packets, _ kinds: ScanKinds = .all, if wanted: [UInt8]
) {
    if !name.utf8.starts(with: wanted) { return }
    var packets = packets
    let measured = measure(&packets, kinds, rounds: 7, seconds: 0.3)
    print("\(name)\t\(tenths(measured.median))\t\(tenths(measured.least))\t\(measured.reports)")
}

private func bytes(_ argument: UnsafeMutablePointer<CChar>?) -> [UInt8] {
    guard let argument = unsafe argument else { return [] }
    let count = unsafe strlen(argument)
    return (0..<count).map { index in unsafe UInt8(bitPattern: argument[index]) }
}

struct Measured {
    var median: Double
    var least: Double
    var reports: UInt64
}

/// Nanoseconds per packet, from rounds of at least so many seconds each, after one that warms up.
func measure(_ packets: inout Packets, _ kinds: ScanKinds = .all, rounds: Int, seconds: Double) -> Measured {
    let detector = unsafe memory(of: Parameters.Detector.self)
    let reader = unsafe memory(of: ProbeReader.self)
    unsafe reader.pointee.start(key: Traffic.key)
    unsafe detector.pointee.start(key: Traffic.key)
    unsafe detector.pointee.detect(KindSettings(kinds))
    // As on a host that knows its own sockets.
    unsafe detector.pointee.host.knowsPorts = true
    unsafe detector.pointee.host.ports.tcp.insert(443)
    for host in [Packets.host, Packets.hostIPv6] {
        let isKnown = unsafe detector.pointee.host.addresses.insert(host, Traffic.key)
        precondition(isKnown)
    }
    var clock: Int64 = 0
    var times: [Double] = []
    for round in 0...rounds {
        var elapsed: Int64 = 0
        var observed = 0
        while Double(elapsed) < seconds * 1e9 {
            packets.renew()
            let begin = cpuNanoseconds()
            unsafe packets.observe(with: &detector.pointee, by: &reader.pointee, clock: &clock)
            elapsed += cpuNanoseconds() - begin
            observed += Packets.count
        }
        if round > 0 { times.append(Double(elapsed) / Double(observed)) }
    }
    times.sort()
    let reports = unsafe detector.pointee.counters.reports
    unsafe free(detector)
    unsafe free(reader)
    return Measured(median: times[rounds / 2], least: times[0], reports: reports)
}

/// What is empty if it is all zero, in pages of its own, as the daemon has it: in other memory, each line of the
/// detector's index would be in two lines of the cache.
private func memory<Value: ~Copyable>(of type: Value.Type) -> UnsafeMutablePointer<Value> {
    let size = MemoryLayout<Value>.size
    var memory: UnsafeMutableRawPointer?
    let result = unsafe posix_memalign(&memory, 4096, size)
    guard result == 0, let memory = unsafe memory else { preconditionFailure("no memory") }
    unsafe memset(memory, 0, size)
    return unsafe memory.assumingMemoryBound(to: type)
}

/// The processor time of this process, which others on the machine disturb least.
private func cpuNanoseconds() -> Int64 {
    var now = timespec()
    let result = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    precondition(result == 0)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// A number with one decimal; printing a Double takes more of the library than Embedded Swift has.
private func tenths(_ value: Double) -> String {
    let rounded = Int(value * 10 + 0.5)
    return "\(rounded / 10).\(rounded % 10)"
}
