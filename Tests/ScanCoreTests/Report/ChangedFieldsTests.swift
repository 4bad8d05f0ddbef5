import Testing

@testable import ScanCore

/// What is left out of the line because it changed.
struct ChangedFieldsTests {
    /// The line of a scan of ports 1 to 7, in which one packet differs.
    private func line(packet odd: UInt16, _ different: (UInt16) -> Probe) -> String? {
        let watch = Watch()
        return (UInt16(1)...7).compactMap { watch.observe($0 == odd ? different($0) : segment(to: $0)) }.first
    }

    private let start = "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., "

    @Test(arguments: UInt16(2)...7)
    func aChangedDestinationIsSaid(packet: UInt16) {
        let line = line(packet: packet) { segment(to: $0, destination: address("10.77.0.3")) }
        let expected = "10.77.0.1:40000 to 10.77.0.2 and others, ports 1, 2, 3, 4, 5, 6, ..., "
        #expect(line == expected + "fSrpauxy, TOS 00, TTL 64 @12:34:56")
    }

    @Test(arguments: UInt16(2)...7)
    func aChangedSourcePortIsLeftOut(packet: UInt16) {
        let line = line(packet: packet) { segment(to: $0, sourcePort: 40_001) }
        let expected = "10.77.0.1 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., "
        #expect(line == expected + "fSrpauxy, TOS 00, TTL 64 @12:34:56")
    }

    @Test(arguments: UInt16(2)...7)
    func aChangedServiceIsLeftOut(packet: UInt16) {
        let line = line(packet: packet) { segment(to: $0, typeOfService: 16) }
        #expect(line == start + "fSrpauxy, TTL 64 @12:34:56")
    }

    @Test(arguments: UInt16(2)...7)
    func aChangedLifetimeIsLeftOut(packet: UInt16) {
        let line = line(packet: packet) { segment(to: $0, timeToLive: 63) }
        #expect(line == start + "fSrpauxy, TOS 00 @12:34:56")
    }

    @Test(arguments: UInt16(2)...7)
    func aChangedFlagIsAQuestionMark(packet: UInt16) {
        let line = line(packet: packet) { segment(to: $0, .fin) }
        #expect(line == start + "??rpauxy, TOS 00, TTL 64 @12:34:56")
    }

    @Test func whatDiffersFromTheFirstPacketIsThatOfTheLineForAll() {
        let line = line(packet: 1) {
            segment(
                to: $0, .urg, destination: address("10.77.0.9"), sourcePort: 9, typeOfService: 9,
                timeToLive: 9)
        }
        let expected = "10.77.0.1 to 10.77.0.9 and others, ports 1, 2, 3, 4, 5, 6, ..., f?rpa?xy @12:34:56"
        #expect(line == expected)
    }

    @Test func aRepeatedPortTellsOfItsFlagsOnly() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        let again = segment(
            to: 3, .psh, destination: address("10.77.0.9"), sourcePort: 9, typeOfService: 9, timeToLive: 9)
        #expect(watch.observe(again) == nil)
        #expect(watch.send(7) == start + "f?r?auxy, TOS 00, TTL 64 @12:34:56")
    }
}
