import CLinux
import ScanCore

/// Measures what a packet costs from its bytes to the verdict, for each ``Traffic``.
///
/// Prints a line of tab-separated columns for each kind: its name, nanoseconds per packet as the median and the least
/// of the rounds, and how many packets were seen as scans, so that nobody measures a detector that does nothing. An
/// argument is the name of the one kind to measure.
@c(core_benchmark_main)
public func start(_ argumentCount: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    print("kind\tmedian_ns\tleast_ns\treports")
    for traffic in Traffic.allCases where unsafe argumentCount < 2 || isArgument(traffic.name, arguments[1]) {
        var packets = Packets(traffic)
        let measured = measure(&packets, rounds: 7, seconds: 0.3)
        print("\(traffic.name)\t\(tenths(measured.median))\t\(tenths(measured.least))\t\(measured.reports)")
    }
    return 0
}

private func isArgument(_ name: String, _ argument: UnsafeMutablePointer<CChar>?) -> Bool {
    guard let argument = unsafe argument else { return false }
    return unsafe name.withCString { unsafe strcmp($0, argument) == 0 }
}

private struct Measured {
    var median: Double
    var least: Double
    var reports: UInt64
}

/// Nanoseconds per packet, from rounds of at least so many seconds each, after one that warms up.
private func measure(_ packets: inout Packets, rounds: Int, seconds: Double) -> Measured {
    var detector = Parameters.Detector(key: Traffic.key)
    var clock: Int64 = 0
    var times: [Double] = []
    for round in 0...rounds {
        var elapsed: Int64 = 0
        var observed = 0
        while Double(elapsed) < seconds * 1e9 {
            packets.renew()
            let begin = cpuNanoseconds()
            packets.observe(with: &detector, clock: &clock)
            elapsed += cpuNanoseconds() - begin
            observed += Packets.count
        }
        if round > 0 { times.append(Double(elapsed) / Double(observed)) }
    }
    times.sort()
    return Measured(median: times[rounds / 2], least: times[0], reports: detector.counters.reports)
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
