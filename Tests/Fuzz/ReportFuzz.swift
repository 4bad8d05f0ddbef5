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
    return 0
}

private func checkEnd(_ end: ScanEnd, of bytes: [UInt8]) {
    let encoded = end.encoded
    check(encoded.indices.map { encoded[$0] } == bytes, "\(bytes) and \(end) are not the same")
    let line = LogLine(end, time: TimeOfDay(hour: 23, minute: 59, second: 60))
    check(line.count < 320, "a line of \(line.count) bytes")
    for index in 0..<line.count { check((0x20..<0x7f).contains(line.bytes[index]), "byte \(line.bytes[index])") }
}

private func checkReport(_ report: ScanReport, of bytes: [UInt8]) {
    let encoded = report.encoded
    check(encoded.indices.map { encoded[$0] } == bytes, "\(bytes) and \(report) are not the same")
    check(!report.source.isUnspecified || report.sourceIsPrefix, "a report of nobody")
    check((1...PortList.capacity).contains(report.ports.count), "\(report.ports.count) ports")
    let line = LogLine(report, time: TimeOfDay(hour: 23, minute: 59, second: 60), limit: nil)
    check(line.count < 320, "a line of \(line.count) bytes")
    for index in 0..<line.count { check((0x20..<0x7f).contains(line.bytes[index]), "byte \(line.bytes[index])") }
}
