import Testing

@testable import ScanCore

/// What the sockets and addresses of the monitored host decide.
struct OwnHostTests {
    private typealias Detector = ScanDetector<64, 256, 512, 64>

    /// A detector of a host with some open ports, that knows of its clients' ports from 32,768 on.
    private static func watch(
        _ detector: inout Detector, listening: [UInt16] = [], bound: [UInt16] = [], kinds: ScanKinds = .all
    ) {
        var settings = KindSettings(kinds)
        settings.firstClientPort = 32_768
        detector.detect(settings)
        detector.host.knowsPorts = true
        for port in listening { detector.host.ports.tcp.insert(port) }
        for port in bound { detector.host.ports.udp.insert(port) }
        let isAdded = detector.host.addresses.insert(own, .forTests)
        #expect(isAdded)
    }

    private static let own = Address(ipv4: 0x0a4d_0002)
    private static let other = Address(ipv4: 0x0a4d_0009)

    private func probe(
        _ port: UInt16, _ flags: TCPFlags = .syn, to host: Address = own, from sourcePort: UInt16 = 40_000
    ) -> Probe {
        Probe(
            source: Address(ipv4: 0x0a4d_0001), destination: host, sourcePort: sourcePort, destinationPort: port,
            transport: .tcp(flags), typeOfService: 0, timeToLive: 64)
    }

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

    /// The finding after probes of some ports, four seconds apart.
    private func find(
        _ ports: [UInt16], in detector: inout Detector, _ flags: TCPFlags = .syn, to host: Address = own,
        every pause: Int64 = 4
    ) -> (finding: ScanFinding, number: Int)? {
        for (number, port) in ports.enumerated() {
            let time = Int64(number) * pause + 100
            if let finding = detector.find(probe(port, flags, to: host), at: at(time), realTime: .seconds(time)) {
                return (finding, number)
            }
        }
        return nil
    }

    @Test func aScanOfClosedPortsIsConfirmed() throws {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let found = find([1, 2, 3, 4, 5, 6, 7], in: &detector)
        #expect(found?.number == 6)
        let finding = try #require(found?.finding)
        #expect(!finding.isConfirmed && finding.report.kind == .slow)
        let reportsBefore = detector.counters.reports
        #expect(reportsBefore == 0)
        let confirmed = detector.confirm(finding, at: at(124), realTime: .seconds(124))
        #expect(confirmed?.isConfirmed == true && confirmed?.report.kind == .slow)
        #expect(confirmed?.report.ports.contains(7) == true)
        let reports = detector.counters.reports
        #expect(reports == 1)
        let again = detector.find(probe(8), at: at(128), realTime: .seconds(128))
        #expect(again == nil)
    }

    @Test func aScanOfPortsThatTurnOutToBeOpenIsNone() throws {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let found = find([1, 2, 3, 4, 5, 6, 7], in: &detector)
        let finding = try #require(found?.finding)
        for port in UInt16(1)...7 { detector.host.ports.tcp.insert(port) }
        let isConfirmed = detector.confirm(finding, at: at(124), realTime: .seconds(124)) != nil
        let reports = detector.counters.reports
        #expect(!isConfirmed && reports == 0)
    }

    @Test func openPortsCountLittle() {
        var detector = Detector(key: .forTests)
        let ports = [UInt16](1...20)
        Self.watch(&detector, listening: ports)
        let ofOpen = find(ports, in: &detector)
        let ofClosed = find([UInt16](21...40), in: &detector)
        #expect(ofOpen == nil && ofClosed != nil)
    }

    @Test func portsOfClientsDoNotCount() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let ofClients = find([UInt16](32_768...32_827), in: &detector)
        #expect(ofClients == nil)
        // One that comes first does not keep others from counting.
        let found = find([40_000, 2, 3, 4, 5, 6, 7, 8, 9], in: &detector)
        #expect(found?.number == 7)
    }

    /// What clients use are ports of TCP and UDP.
    @Test func aScanOfSCTPPortsMayBeginWithAHighOne() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let found = ([40_000] + [UInt16](1...6)).map { port in
            let event = PairEvent(.sctp, .tried, by: Self.other, at: Self.own, port: port)
            return detector.observe(event, at: at(100), realTime: .seconds(100))?.kind
        }
        #expect(found == [ScanKind?](repeating: nil, count: 6) + [.sctp])
    }

    @Test func portsOfOtherHostsNeedNoConfirmation() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector, listening: [UInt16](1...8))
        let found = find([UInt16](1...8), in: &detector, to: Self.other)
        #expect(found?.finding.isConfirmed == true)
    }

    @Test(arguments: [false, true])
    func aConnectionClosedWellWasOpen(isFirst: Bool) {
        // At ports that lead elsewhere without a socket: the first pair is kept elsewhere than the others.
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let ports = [UInt16](1...7)
        for (number, port) in ports.enumerated() {
            let time = Int64(number) * 4 + 100
            let finding = detector.find(probe(port), at: at(time), realTime: .seconds(time))
            #expect(finding == nil)
            if isFirst == (number == 0) {
                let close = probe(port, .fin.union(.ack))
                let closed = detector.find(close, at: at(time + 1), realTime: .seconds(time + 1))
                #expect(closed == nil)
            }
        }
    }

    @Test func whoResetsConnectionsToOpenPortsIsNoClient() {
        var detector = Detector(key: .forTests)
        let ports = [UInt16](1...8)
        Self.watch(&detector, listening: ports)
        var found: ScanFinding?
        for (number, port) in ports.enumerated() {
            let time = Int64(number) * 4 + 100
            found = found ?? detector.find(probe(port), at: at(time), realTime: .seconds(time))
            found = found ?? detector.find(probe(port, .rst), at: at(time), realTime: .seconds(time))
        }
        #expect(found?.report.kind == .slow)
    }

    @Test(arguments: [TCPFlags.ack, .ack.union(.psh), .ack.union(.fin)])
    func acknowledgementsToClosedPortsAreAScan(flags: TCPFlags) throws {
        var detector = Detector(key: .forTests)
        Self.watch(&detector, listening: [1, 2, 3])
        let found = find([UInt16](1...12), in: &detector, flags, every: 1)
        let finding = try #require(found?.finding)
        #expect(found?.number == 9 && finding.report.kind == .ack && !finding.isConfirmed)
        let isTriedInVain = detector.host.isTriedInVain
        let confirmed = detector.confirm(finding, at: at(112), realTime: .seconds(112))
        #expect(isTriedInVain && confirmed?.report.kind == .ack)
        let ofOthers = find([UInt16](1...12), in: &detector, flags, to: Self.other)
        #expect(ofOthers == nil)
    }

    /// The last step of a handshake, at a port whose socket is not on the list yet.
    @Test func acknowledgementsOfWhatWasTriedAreNoScanOfTheirOwn() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        for port in UInt16(1)...30 {
            for flags in [TCPFlags.syn, .ack, .ack.union(.psh), .fin.union(.ack)] {
                let finding = detector.find(probe(port, flags), at: at(100), realTime: .seconds(100))
                #expect(finding == nil || finding?.report.kind == .quick)
            }
        }
    }

    @Test func acknowledgementsOfTheHostsOwnConnectionsAreNone() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        for port in UInt16(900)...912 {
            for flags in [TCPFlags.syn.union(.ack), .ack, .ack.union(.psh), .fin.union(.ack)] {
                let finding = detector.find(probe(port, flags, from: 2049), at: at(100), realTime: .seconds(100))
                #expect(finding == nil)
            }
        }
    }

    private func datagram(_ port: UInt16, from sourcePort: UInt16 = 40_000, to last: UInt8 = 2) -> [UInt8] {
        let ports = [sourcePort, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        return [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, last] + ports + [0, 8, 0, 0]
    }

    private func find(_ packets: [[UInt8]], in detector: inout Detector) -> ScanFinding? {
        for packet in packets {
            if let finding = detector.find(packet: packet.span, at: at(100), realTime: .seconds(100)) { return finding }
        }
        return nil
    }

    @Test func datagramsToClosedPortsAreAScan() throws {
        var detector = Detector(key: .forTests)
        Self.watch(&detector, bound: [53, 123])
        let before = find([53, 123, 7, 9, 11, 13, 17, 19].map { datagram($0) }, in: &detector)
        let found = find([datagram(21)], in: &detector)
        let finding = try #require(found)
        #expect(before == nil && finding.report.kind == .udp && !finding.isConfirmed)
        let confirmed = detector.confirm(finding, at: at(101), realTime: .seconds(101))
        #expect(confirmed?.report.kind == .udp)
    }

    /// Where the errors that the host sends are what is seen, there are six at once and no more.
    @Test func sixRefusalsAreAScan() throws {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        var finding: ScanFinding?
        for port in UInt16(1)...6 {
            #expect(finding == nil)
            let event = PairEvent(.udp, .refused, by: Address(ipv4: 7), at: Self.own, port: port)
            if let found = detector.observe(event, at: at(100), realTime: .seconds(100)) {
                finding = detector.finding(found, at: at(100), realTime: .seconds(100))
            }
        }
        #expect(finding?.report.kind == .udp)
    }

    @Test func datagramsThatAreNoScanAreSilent() {
        var detector = Detector(key: .forTests)
        Self.watch(&detector)
        let answers = (UInt16(2000)...2040).map { datagram($0, from: 53) }
        let toClients = (UInt16(33_000)...33_040).map { datagram($0) }
        let toOthers = (UInt16(1)...40).map { datagram($0, to: 9) }
        let found = find(answers + toClients + toOthers, in: &detector)
        let isTriedInVain = detector.host.isTriedInVain
        #expect(found == nil && !isTriedInVain)
    }

    @Test func withoutAHostNothingOfThisCounts() {
        var detector = Detector(key: .forTests)
        detector.detect(KindSettings(.all))
        let ofDatagrams = find((UInt16(1)...40).map { datagram($0) }, in: &detector)
        let ofSegments = find([UInt16](1...40), in: &detector, .ack)
        #expect(ofDatagrams == nil && ofSegments == nil)
    }
}

struct AddressSetTests {
    @Test func aSetHoldsWhatWasInserted() {
        var set = AddressSet()
        let isKnown = set.contains(Address(ipv4: 0), .forTests)
        #expect(!isKnown)
        for number in UInt32(0)..<128 {
            let isIPv4Added = set.insert(Address(ipv4: number), .forTests)
            let isIPv6Added = set.insert(Address(ipv6High: 0, low: UInt64(number) | 0xffff_0000_0000), .forTests)
            #expect(isIPv4Added && isIPv6Added)
        }
        #expect(set.count == AddressSet.capacity)
        let isAdded = set.insert(Address(ipv4: 1000), .forTests)
        let isAddedAgain = set.insert(Address(ipv4: 7), .forTests)
        #expect(!isAdded && isAddedAgain)
        for number in UInt32(0)..<256 {
            let isKnown = set.contains(Address(ipv4: number), .forTests)
            #expect(isKnown == (number < 128))
        }
        var found: [Address] = []
        set.forEach { found.append($0) }
        #expect(found.count == 256 && found.contains(Address(ipv6High: 0, low: 0xffff_0000_0005)))
    }
}
