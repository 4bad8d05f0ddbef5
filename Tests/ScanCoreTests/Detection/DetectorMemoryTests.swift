import Testing

@testable import ScanCore

/// A detector need not be written to memory that is zero: it is there, and the daemon never touches what it never needs.
struct DetectorMemoryTests {
    @Test func aDetectorInZeroMemoryIsAFreshOne() {
        // Not byte for byte: what stands in the gaps between fields is nobody's. What is compared is all that is read.
        let watch = FullWatch(key: HashKey([0, 0, 0, 0, 0]))
        #expect(watch.isFresh && watch.fault == nil)
        var detector = SmallDetector(key: .forTests)
        let isFresh = detector.isFresh
        #expect(isFresh)
        _ = detector.observe(segment(to: 80), at: Timestamp(nanoseconds: 0), realTime: 0)
        let isStillFresh = detector.isFresh
        #expect(!isStillFresh)
    }

    @Test func aRecordOfNobodyAndAnUnusedLineAreAllZero() {
        // These have no gaps, and make most of the memory.
        var touch = ProbationRecord()
        var line = ProbationIndex()
        let inTouch = unsafe withUnsafeBytes(of: &touch) { unsafe $0.count { $0 != 0 } }
        let inLine = unsafe withUnsafeBytes(of: &line) { unsafe $0.count { $0 != 0 } }
        #expect(inTouch == 0 && inLine == 0)
    }

    @Test(arguments: 0..<20)
    func aDetectorInZeroMemoryJudgesAsOneThatWasMade(sequence: Int) {
        var traffic = Traffic(seed: Seed.value &+ 6000 &+ UInt64(sequence))
        let key = traffic.key()
        let watch = FullWatch(key: key)
        var made = SmallDetector(key: key)
        for step in 0..<250 {
            let packet = traffic.next()
            let report = watch.observe(packet.segment, at: packet.time, realTime: packet.realTime)
            let now = Timestamp(nanoseconds: packet.time)
            let expected = made.observe(packet.segment, at: now, realTime: packet.realTime)
            let line = report.map { LogLine($0, time: TimeOfDay(utc: $0.startTime)).text }
            let expectedLine = expected.map { LogLine($0, time: TimeOfDay(utc: $0.startTime)).text }
            #expect(line == expectedLine, "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step)")
        }
        let counters = made.counters
        #expect(watch.counters == counters)
    }

    @Test func theTablesOfTheDaemonStayBelow8MiB() {
        #expect(MemoryLayout<Candidate>.stride == 256)
        #expect(MemoryLayout<Parameters.Detector>.size > 5 << 20)
        let size =
            MemoryLayout<Parameters.Detector>.size + MemoryLayout<ProbeReader>.size
            + MemoryLayout<ReportLimiter>.size * 18  // two, and two for each level
        // Which is touched with `--end` only.
        let ends = MemoryLayout<ScanEnds>.size
        #expect(size - ends <= 8 << 20 && ends <= 340 << 10)
        #expect(Parameters.Detector.probationCapacity == 65_536)
    }

    @Test func theDaemonsDetectorIsWholeInZeroMemory() {
        let watch = FullWatch()
        #expect(watch.fault == nil && watch.sourcesHeld == 0 && watch.counters == DetectorCounters())
        for host in UInt32(1)...20 {
            for port in UInt16(1)...7 {
                let report = watch.observe(segment(to: port, from: Address(ipv4: host)), at: Int64(host))
                #expect((report != nil) == (port == 7))
            }
        }
        #expect(watch.fault == nil && watch.sourcesHeld == 20)
    }
}

/// A detector of the shipped size, made as the daemon makes it.
@safe final class FullWatch {
    private let detector: UnsafeMutablePointer<Parameters.Detector>

    init(key: HashKey = .forTests) {
        typealias Detector = Parameters.Detector
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Detector>.size, alignment: MemoryLayout<Detector>.alignment)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Detector>.size)
        unsafe detector = memory.bindMemory(to: Detector.self, capacity: 1)
        unsafe detector.pointee.start(key: key)
    }

    deinit {
        unsafe detector.deinitialize(count: 1)
        unsafe detector.deallocate()
    }

    func observe(_ segment: Probe, at time: Int64, realTime: Int64? = nil) -> ScanReport? {
        let realTime = realTime ?? time
        return unsafe detector.pointee.observe(segment, at: Timestamp(nanoseconds: time), realTime: realTime)
    }

    func find(_ segment: Probe, at time: Int64) -> ScanFinding? {
        unsafe detector.pointee.find(
            segment, at: Timestamp(nanoseconds: time), realTime: time)
    }

    func remember(_ finding: ScanFinding) { unsafe detector.pointee.remember(finding) }

    func detect(_ settings: KindSettings) { unsafe detector.pointee.detect(settings) }

    func memoryReach(at time: Int64) -> Int64 { unsafe detector.pointee.memoryReach(at: Timestamp(nanoseconds: time)) }

    var candidatesEvicted: UInt64 { unsafe detector.pointee.candidatesEvicted }

    /// How many sources are candidates for TCP ports.
    var candidatesHeld: Int {
        var held = 0
        for number in 0..<4096 {
            let place = CandidatePlace(set: number >> 3, way: number & 7)
            let isHeld = unsafe detector.pointee.candidates.withEntry(place) { $0.isUsed && $0.target == .tcp }
            if isHeld { held += 1 }
        }
        return held
    }

    var isFresh: Bool { unsafe detector.pointee.isFresh }
    var fault: String? { unsafe detector.pointee.fault }
    var counters: DetectorCounters { unsafe detector.pointee.counters }
    var sourcesHeld: Int { unsafe detector.pointee.sourcesHeld }
    var sourcesFollowed: Int { unsafe detector.pointee.sourcesFollowed }
    var sourcesEvicted: UInt64 { unsafe detector.pointee.sourcesEvicted }
    var probationLost: UInt64 { unsafe detector.pointee.probationLost }
    var mostExamined: Int { unsafe detector.pointee.mostExamined }
}
