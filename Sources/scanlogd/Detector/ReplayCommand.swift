import Capture
import ScanCore
import System

#if Pcap
    /// Prints the reports for the packets of a capture file, with the packets' timestamps as clock.
    ///
    /// - Parameters:
    ///   - path: the file; `-` is standard input.
    ///   - exempt: the sources that are not to be reported.
    ///   - kinds: the kinds of scans to detect.
    ///   - wanted: whether the ends of scans are reported, too, and touches.
    ///   - format: the format of reports.
    ///
    /// Needs no privileges. Between opening the file and reading it, it drops the privileges it has, and access to the
    /// file system: the file's contents are as untrusted as network traffic.
    func replay(
        _ path: CString, _ exempt: consuming ExemptSources, _ kinds: KindSettings, _ wanted: WantedKinds,
        _ format: ReportFormat
    ) throws(SystemError) {
        let key = try HashKey.random()
        loadTimeZone()
        var capture = try PcapFile(path, key: key)
        let privileges = ReaderPrivileges()
        switch try privileges.openDirectory() {
        case .some(let directory): try directory.enter()
        case .none: break
        }
        try privileges.drop()
        try restrictFileSystem(to: .none)
        let touches: MinuteTouches? =
            if wanted.logsTouches { try MinuteTouches(key: key, isPaced: false) } else { nil }
        let log = StandardOutputLog(format, run: try randomNumber())
        let memory = try DetectorMemory(key: key, kinds)
        let pipeline = DetectionPipeline(
            memory, exempt, log: log, reportsEnds: wanted.reportsEnds, touches: touches)
        var replay = Replay(sensor: pipeline)
        var failure: SystemError?
        do throws(SystemError) {
            try capture.read(into: &replay)
        } catch {
            failure = error  // what came before it is reported
        }
        replay.sensor.judge()
        replay.sensor.log.begin(at: replay.realTime)
        replay.sensor.logSuppressed(at: replay.now, atExit: true)
        replay.sensor.logTouches(at: replay.now, atExit: true)
        if let line = capture.leftOutLine { warn(line) }
        if let failure = failure ?? replay.sensor.log.failure { throw failure }
    }
#else
    /// A stub: this binary can't read capture files.
    func replay(
        _ path: CString, _ exempt: consuming ExemptSources, _ kinds: KindSettings, _ wanted: WantedKinds,
        _ format: ReportFormat
    ) throws(SystemError) {
        throw SystemError(path, "read", because: "libpcap, which reads capture files, is not built in")
    }
#endif

/// Drives a detection pipeline with the packets' timestamps as clock.
struct Replay: ~Copyable, ProbeSink {
    var sensor: DetectionPipeline<StandardOutputLog>

    /// The time of the last packet.
    private(set) var now = Timestamp(nanoseconds: 0)
    /// The same in nanoseconds since 1970 UTC.
    private(set) var realTime: Int64 = 0

    init(sensor: consuming DetectionPipeline<StandardOutputLog>) {
        self.sensor = sensor
    }

    /// Each packet comes here first, then its probes, if it has any.
    mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool {
        self.now = now
        self.realTime = realTime
        // Probes that are judged together are less than a second apart, and no line is due so soon: so the lines are
        // those that would be logged if each were judged at once.
        if sensor.hasProbesLongBefore(now) { sensor.judge() }
        if let due = sensor.nextLineDue, now >= due {
            sensor.judge()
            sensor.log.begin(at: realTime)
            sensor.logSuppressed(at: now)
        }
        if let due = sensor.nextTouchDue, due <= now {
            sensor.judge()
            sensor.log.begin(at: realTime)
            sensor.logTouches(at: now)
        }
        return try sensor.inspect(packet: packet, over: path, at: now, realTime: realTime)
    }

    mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        sensor.receive(probe, at: now, realTime: realTime)
    }

    mutating func count(_ fault: PacketFault) {
        sensor.count(fault)
    }

    mutating func log(notice: LogLine) {
        sensor.log(notice: notice)
    }
}

/// Prints reports to standard output.
struct StandardOutputLog: ReportLog {
    /// Why the first line that failed to print did.
    private(set) var failure: SystemError?

    /// The time of events, in nanoseconds since 1970 UTC.
    private var realTime: Int64 = 0

    private let format: ReportFormat
    private var stamps: EventStamps

    /// - Parameter run: a random number, by which the events are told from those of other runs.
    init(_ format: ReportFormat, run: UInt32) {
        self.format = format
        stamps = EventStamps(run: run)
    }

    mutating func begin(at realTime: Int64) { self.realTime = realTime }

    mutating func log(_ report: ScanReport, level: Int32) {
        write(LogLine(local: report), .scan(report))
    }

    mutating func log(_ end: ScanEnd, level: Int32) {
        write(LogLine(local: end), .end(end))
    }

    mutating func log(_ suppression: SuppressionLine, level: Int32) {
        write(suppression.text, .summary(suppression.summary))
    }

    mutating func log(_ touch: TouchMessage) -> Bool {
        write(LogLine(), .touch(touch))
        return true
    }

    /// Standard output has room, or has failed.
    mutating func countLost() {}

    private mutating func write(_ line: LogLine, _ content: EventContent) {
        if failure != nil { return }
        do throws(SystemError) {
            switch format {
            case .classic:
                var line = line
                line.append("\n")
                try print(line)
            case .json:
                var text = EventText(Event(stamps.next(at: realTime), content), line: line)
                text.endLine()
                try print(text)
            }
        } catch {
            failure = error
        }
    }

    /// A file has no host whose sockets could be unknown.
    mutating func warn(_ line: LogLine) {}

    /// A file has no interfaces that appear and disappear.
    mutating func notice(_ line: LogLine) {}
}
