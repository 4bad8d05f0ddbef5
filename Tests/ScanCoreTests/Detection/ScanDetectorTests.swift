import Testing

@testable import ScanCore

/// Who is a source, and what the line about it says of its packets.
struct ScanDetectorTests {
    @Test func theLineNamesWhatWasSeen() {
        let watch = Watch()
        #expect(watch.send(each: [21, 22, 23, 25, 53, 8080]) == [])
        let line = "10.77.0.1:40000 to 10.77.0.2 ports 21, 22, 23, 25, 53, 8080, 80, ..., "
        #expect(watch.send(each: [80, 443]) == [line + "fSrpauxy, TOS 00, TTL 64 @12:34:56"])
    }

    @Test func thePortThatTipsItIsNotListed() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(99)?.contains(" ports 1, 2, 3, 4, 5, 6, ..., ") == true)
    }

    @Test func portsAreListedInTheOrderSeen() {
        let watch = Watch()
        let lines = watch.send(each: [443, 22, 80, 21, 8080, 25, 23, 110])
        #expect(lines.first?.contains(" ports 443, 22, 80, 21, 8080, 25, 23, ..., ") == true)
    }

    @Test func aRepeatedPortWeighsNothing() {
        let watch = Watch()
        for _ in 0..<100 { #expect(watch.send(each: 1...6) == []) }
        #expect(watch.send(7)?.contains(" ports 1, 2, 3, 4, 5, 6, ..., ") == true)
    }

    @Test func sourcesAreToldApart() {
        let watch = Watch()
        for port in UInt16(1)...6 {
            for host in UInt32(1)...30 {
                #expect(watch.send(port, from: Address(ipv4: 0x0a4d_0100 + host)) == nil)
            }
        }
        #expect(watch.sourcesHeld == 30)
        #expect(watch.send(7, from: Address(ipv4: 0x0a4d_0111))?.hasPrefix("10.77.1.17:40000 to ") == true)
    }

    @Test(arguments: ["0.0.0.0", "::"])
    func anUnspecifiedSourceIsIgnored(source: String) {
        let watch = Watch()
        #expect(watch.send(each: 1...100, from: address(source)) == [])
        #expect(watch.sourcesHeld == 0)
        #expect(watch.counters.ignored == 100)
        #expect(watch.counters.probes == 0)
    }

    @Test(arguments: ["0.0.0.1", "128.0.0.0", "255.255.255.255", "::1", "8000::", "0:0:0:1::", "::1:0:0:0"])
    func everyOtherSourceIsWatched(source: String) {
        let watch = Watch()
        #expect(watch.send(each: 1...7, from: address(source)).count == 1)
    }

    @Test(arguments: ["::ffff:a4d:1", "::a4d:1"])
    func anIPv4SourceAndItsIPv6FormAreTwoSources(form: String) {
        let watch = Watch()
        #expect(watch.send(each: 1...6, from: address("10.77.0.1")) == [])
        #expect(watch.send(each: 11...16, from: address(form)) == [])
        #expect(watch.sourcesHeld == 2)
        #expect(watch.send(7, from: address("10.77.0.1"))?.hasPrefix("10.77.0.1:40000 to ") == true)
        #expect(watch.send(17, from: address(form))?.contains(" ports 11, 12, 13, 14, 15, 16, ..., ") == true)
    }

    @Test func theDestinationIsNotPartOfTheSource() {
        let watch = Watch()
        for port in UInt16(1)...6 {
            let destination = Address(ipv4: 0x0a4d_0200 + UInt32(port))
            #expect(watch.observe(segment(to: port, destination: destination)) == nil)
        }
        #expect(watch.sourcesHeld == 1)
        #expect(watch.send(7)?.contains(" to 10.77.2.1 and others, ports ") == true)
    }

    @Test func theStartTimeIsThatOfTheFirstPacket() {
        let watch = Watch()
        for port in UInt16(1)...6 { #expect(watch.send(port, at: .seconds(2 * Int64(port))) == nil) }
        #expect(watch.send(7, at: .seconds(14))?.hasSuffix(" @12:34:58") == true)
    }
}
