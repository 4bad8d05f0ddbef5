import Testing

@testable import ScanCore

/// How many ports make a scan.
struct WeightTests {
    @Test func sixPrivilegedPortsAreSilent() {
        #expect(Watch().send(each: 1...6) == [])
    }

    @Test func theSeventhPrivilegedPortReports() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        let line =
            "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., fSrpauxy, TOS 00, TTL 64 @12:34:56"
        #expect(watch.send(7) == line)
    }

    @Test func twentyOtherPortsAreSilent() {
        #expect(Watch().send(each: 20_000..<20_020) == [])
    }

    @Test func theTwentyFirstOtherPortReports() {
        let watch = Watch()
        #expect(watch.send(each: 20_000..<20_020) == [])
        #expect(watch.send(20_020) != nil)
    }

    @Test func port1023IsPrivilegedAndPort1024IsNot() {
        #expect(Watch().send(each: 1017...1023).count == 1)
        #expect(Watch().send(each: 1018...1024) == [])
        let watch = Watch()
        #expect(watch.send(each: 1018...1025) == [])
        #expect(watch.send(1026) != nil)
    }

    @Test func port0IsPrivilegedAndPort65535IsNot() {
        #expect(Watch().send(each: 0...6).count == 1)
        #expect(Watch().send(each: 65_529...65_535) == [])
        #expect(Watch().send(each: 65_515...65_535).count == 1)
    }

    @Test(arguments: 0...7)
    func aMixReportsAtAWeightOf21(low: Int) {
        // Six low ports weigh 18, so two high ones more are silent and three are not, and so on.
        let lowPorts = (0..<low).map { UInt16(100 + $0) }
        let highPorts = (0..<max(21 - 3 * low, 0)).map { UInt16(3000 + $0) }
        #expect(Watch().send(each: lowPorts + highPorts).count == 1)
        #expect(Watch().send(each: highPorts + lowPorts).count == 1)
        #expect(Watch().send(each: (lowPorts + highPorts).dropLast()) == [])
        #expect(Watch().send(each: (highPorts + lowPorts).dropLast()) == [])
    }

    @Test(arguments: [18, 19, 20])
    func aPrivilegedPortMayTipItPast21(high: UInt16) {
        let watch = Watch()
        #expect(watch.send(each: 3000..<3000 + high) == [])
        #expect(watch.send(80) != nil)
    }

    @Test(arguments: [15, 16, 17])
    func seventeenOtherPortsAndAPrivilegedOneAreSilent(high: UInt16) {
        let watch = Watch()
        #expect(watch.send(each: 3000..<3000 + high) == [])
        #expect(watch.send(80) == nil)
    }

    @Test func twentyPortsAreRoomForAllThatAreListed() {
        let watch = Watch()
        _ = watch.send(each: 20_000..<20_020)
        // The twentieth is in the list: repeating it weighs nothing.
        #expect(watch.send(20_019) == nil)
        #expect(watch.send(20_020) != nil)
    }
}
