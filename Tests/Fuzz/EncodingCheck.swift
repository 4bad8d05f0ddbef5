/// What a detector gives comes back as it was from the other process.
func checkEncoding(_ report: ScanReport) {
    let encoded = report.encoded
    do throws(PacketFault) {
        let again = try ScanReport(encoded: encoded.span).encoded
        check(encoded.indices.allSatisfy { again[$0] == encoded[$0] }, "\(report) comes back as another")
    } catch {
        check(false, "\(report) is refused")
    }
}
