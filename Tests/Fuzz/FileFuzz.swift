import CLinux
import ScanCore
import System

/// The input is a capture file: whatever it holds, it is read to its end or to an error at a byte in it.
@c(LLVMFuzzerTestOneInput)
public func fileFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var judge = Judge()
    unsafe read(data, count, CaptureOptions(), into: &judge)
    // No packet is so small that its record takes less than 16 bytes.
    check(judge.packets <= count / 16, "\(judge.packets) packets in \(count) bytes")
    var attempts = CaptureOptions()
    attempts.interest = .attempts
    attempts.untaggedOnly = true
    var writer = LineJudge()
    unsafe read(data, count, attempts, into: &writer)
    for (expression, namesLink) in expressions {
        attempts.expression = expression
        attempts.expressionNamesLink = namesLink
        unsafe read(data, count, attempts, into: &writer)
    }
    return 0
}

/// One that is asked about packets, and one about frames.
private let expressions: [(CString, Bool)] = [
    ("dst port 22 or not host 10.0.0.1", false), ("vlan 5 and tcp", true),
]

private func read(
    _ data: UnsafePointer<UInt8>?, _ count: Int, _ selection: CaptureOptions,
    into sink: inout some ProbeSink & ~Copyable
) {
    do throws(SystemError) {
        let stream = try PcapStream(owning: unsafe memoryFile(data, count), "input")
        let key = HashKey([1, 2, 3, 4, 5])
        let library = try PcapLibrary()
        var replay = PcapFile(
            library, "input", stream, of: -1, try PcapFrameReader(selection, key: key), FrameFilter(library, selection))
        do throws(SystemError) { try replay.read(into: &sink) } catch { checkError(error.line, count) }
        if let line = replay.leftOutLine { checkLeftOut(line) }
    } catch {
        checkError(error.line, count)
    }
}

private func memoryFile(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let file = unsafe memfd_create("input", UInt32(MFD_CLOEXEC))
    check(file >= 0, "no memory file")
    if count > 0 { check(unsafe write(file, data, count) == count, "the memory file is full") }
    check(lseek(file, 0, SEEK_SET) == 0, "the memory file has no beginning")
    return file
}

/// An error names the file, and a place that is in it, if it names one.
private func checkError(_ line: LogLine, _ count: Int) {
    let text = String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
    let isOfExpression = text.contains(": compile filter: ")
    check(text.hasPrefix("input: read") || isOfExpression, text)
    check(!text.hasSuffix(": "), text)
    guard let place = text.split(separator: ":").dropFirst().first, place.hasPrefix(" read at byte ") else { return }
    let position = Int(place.dropFirst(" read at byte ".count))
    check(position.map { $0 >= 0 && $0 <= count } ?? false, text)
}

/// What was left out is said in a line that begins as an error does, and has a number that is not 0.
private func checkLeftOut(_ line: LogLine) {
    let text = String(decoding: (0..<line.count).map { line.bytes[$0] }, as: UTF8.self)
    let beginning = "input: read: left out, but may hold TCP: "
    check(text.hasPrefix(beginning), text)
    for part in text.dropFirst(beginning.count).split(separator: ",") {
        let number = part.split(separator: " ").first.flatMap { Int($0) }
        check(number.map { $0 > 0 } ?? false, text)
    }
}

/// Lets the detector see what comes, and checks what can be checked of it.
private struct Judge: ~Copyable, ProbeSink {
    private(set) var packets = 0
    private var detector = Parameters.Detector(key: HashKey([1, 2, 3, 4, 5]))

    mutating func receive(_ segment: Probe, at now: Timestamp, realTime: Int64) {
        packets += 1
        check(realTime == now.nanoseconds, "\(now) is not at \(realTime)")
        guard let report = detector.observe(segment, at: now, realTime: realTime) else { return }
        let line = LogLine(report, time: TimeOfDay(hour: 0, minute: 0, second: 0))
        check(line.count > 0 && line.count <= LogLine.capacity, "a line of \(line.count) bytes")
    }

    mutating func count(_ fault: PacketFault) {
        packets += 1
        detector.count(fault)
    }

    mutating func log(notice: LogLine) { check(false, "a notice while a file is read") }
}

/// Writes lines about attempts, and about every packet that has ports, and checks them.
private struct LineJudge: ~Copyable, ProbeSink {
    private var copies = PacketCopies<64>(key: HashKey([1, 2, 3, 4, 5]))

    mutating func inspect(
        packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
    ) throws(PacketFault) -> Bool {
        let wasCopy = copies.isCopy(packet, over: path, at: now)
        let isCopy = copies.isCopy(packet, over: path, at: now)
        check(isCopy == wasCopy, "the same packet from the same interface is \(isCopy ? "a" : "no") copy now")
        do throws(PacketFault) {
            checkLine(try Attempt(packet: packet, realTime: realTime))
        } catch {
            // It may be no packet of TCP or UDP, and is for the reader to judge.
        }
        return false
    }

    mutating func receive(_ segment: Probe, at now: Timestamp, realTime: Int64) {
        if let attempt = Attempt(segment, realTime: realTime) { checkLine(attempt) }
    }

    mutating func count(_ fault: PacketFault) {}

    mutating func log(notice: LogLine) { check(false, "a notice while a file is read") }
}
