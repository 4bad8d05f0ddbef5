/// The input is what a sensor that was taken over may send as a report, or as the end of a scan: it is refused, or the one
/// form of it that can be written as a line.
func reportFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    do throws(PacketFault) {
        checkReport(try ScanReport(encoded: bytes.span), of: bytes)
    } catch {
        check(error == .truncated ? count < ScanReport.encodedSize : error == .malformed, "\(error) of \(count) bytes")
    }
    do throws(PacketFault) {
        checkEnd(try ScanEnd(encoded: bytes.span), of: bytes)
    } catch {
        check(error == .truncated ? count < ScanEnd.encodedSize : error == .malformed, "\(error) of \(count) bytes")
    }
    do throws(PacketFault) {
        checkSummary(try SuppressionSummary(encoded: bytes.span), of: bytes)
    } catch {
        let isShort = count < SuppressionSummary.encodedSize
        check(isShort ? error == .truncated : error == .malformed, "\(error) of \(count) bytes")
    }
    do throws(PacketFault) {
        let status = try StatusCounts(encoded: bytes.span)
        check(status.encoded.indices.map { status.encoded[$0] } == bytes, "\(bytes) and \(status) are not the same")
        checkEvent(.status(status), line: LogLine(status))
    } catch {
        let isShort = count < StatusCounts.encodedSize
        check(isShort ? error == .truncated : error == .malformed, "\(error) of \(count) bytes")
    }
    do throws(PacketFault) {
        let touch = try TouchMessage(encoded: bytes.span)
        check(touch.encoded.indices.map { touch.encoded[$0] } == bytes, "\(bytes) and \(touch) are not the same")
        checkEvent(.touch(touch), line: LogLine())
    } catch {
        let isShort = count < TouchMessage.encodedSize
        check(isShort ? error == .truncated : error == .malformed, "\(error) of \(count) bytes")
    }
    var line = LogLine()
    for byte in bytes { line.append(byte: byte) }
    checkEvent(.fault, line: line)
    return 0
}

private func checkSummary(_ summary: SuppressionSummary, of bytes: [UInt8]) {
    let encoded = summary.encoded
    check(encoded.indices.map { encoded[$0] } == bytes, "\(bytes) and \(summary) are not the same")
    checkEvent(.summary(summary), line: LogLine("More possible port scans follow"))
}

private func checkEnd(_ end: ScanEnd, of bytes: [UInt8]) {
    let encoded = end.encoded
    check(encoded.indices.map { encoded[$0] } == bytes, "\(bytes) and \(end) are not the same")
    let line = LogLine(end, time: TimeOfDay(hour: 23, minute: 59, second: 60))
    checkEvent(.end(end), line: line)
    check(line.count < 320, "a line of \(line.count) bytes")
    for index in 0..<line.count { check((0x20..<0x7f).contains(line.bytes[index]), "byte \(line.bytes[index])") }
}

private func checkReport(_ report: ScanReport, of bytes: [UInt8]) {
    let encoded = report.encoded
    check(encoded.indices.map { encoded[$0] } == bytes, "\(bytes) and \(report) are not the same")
    check(!report.source.isUnspecified || report.sourceIsPrefix, "a report of nobody")
    check((1...PortList.capacity).contains(report.ports.count), "\(report.ports.count) ports")
    let line = LogLine(report, time: TimeOfDay(hour: 23, minute: 59, second: 60), limit: nil)
    checkEvent(.scan(report), line: line)
    check(line.count < 320, "a line of \(line.count) bytes")
    for index in 0..<line.count { check((0x20..<0x7f).contains(line.bytes[index]), "byte \(line.bytes[index])") }
}
