import Testing

@testable import ScanCore

/// Forged sources don't hide a scan. All with the detector of the shipped size. Floods between two probes are at most of
/// 30,000 sources, which push out the scanner's record in one run of 600,000; FirstTouchLifeTests counts beyond that.
struct FloodTests {
    private let watch = FullWatch()
    private let scanner = address("10.77.0.1")

    /// The reports of a scan of ports 1 to 8, `gap` apart, with `flood` making packets between two ports.
    private func scan(from source: Address, apart gap: Int64, behind flood: (Int64) -> Void) -> [ScanReport] {
        var reports: [ScanReport] = []
        for port in UInt16(1)...8 {
            let time = Int64(port) * gap
            let probe = segment(to: port, from: source)
            if let report = watch.observe(probe, at: time) { reports.append(report) }
            flood(time)
        }
        return reports
    }

    /// Packets of other sources, spread over half a second.
    private func flood(_ count: Int, from time: Int64, _ source: (Int) -> Address) {
        var reports = 0
        for index in 0..<count {
            let packet = segment(to: 80, from: source(index))
            let report = watch.observe(packet, at: time + Int64(index) * .milliseconds(500) / Int64(count))
            if report != nil { reports += 1 }
        }
        #expect(reports == 0)
    }

    private func ports(_ report: ScanReport?) -> [UInt16] {
        guard let report else { return [] }
        return (0..<report.ports.count).map { report.ports[$0] }
    }

    @Test(arguments: [500, 10_000, 30_000])
    func aScanIsReportedBehindAFloodOfRandomSources(packets: Int) {
        var random = SplitMix(seed: Seed.value ^ UInt64(packets))
        let reports = scan(from: scanner, apart: .milliseconds(500)) { time in
            flood(packets, from: time) { _ in Address(ipv4: UInt32.random(in: 1...UInt32.max, using: &random)) }
        }
        #expect(reports.count == 1 && reports.first?.startTime == 0, "SCANLOGD_TEST_SEED=\(Seed.value)")
        #expect(watch.sourcesEvicted == 0)
        #expect(watch.fault == nil)
    }

    @Test func aScanIsReportedBehindAFloodOfIPv6Sources() {
        var random = SplitMix(seed: Seed.value ^ 6)
        let reports = scan(from: address("fd77::1"), apart: .milliseconds(500)) { time in
            flood(30_000, from: time) { _ in Address(ipv6High: 0xfd77_0000_0000_0000, low: random.next()) }
        }
        #expect(reports.count == 1, "SCANLOGD_TEST_SEED=\(Seed.value)")
        #expect(watch.sourcesEvicted == 0)
    }

    @Test func threeHundredSourcesBetweenTwoProbesHideNothing() {
        let reports = scan(from: scanner, apart: .milliseconds(500)) { time in
            flood(300, from: time) { Address(ipv4: 0x0a4e_0000 + UInt32($0)) }
        }
        #expect(ports(reports.first) == [1, 2, 3, 4, 5, 6])
    }

    @Test func sourcesThatCollideUnderTheReferencesHashHideNothing() {
        // The reference takes the octets as a little-endian number and XORs its groups of nine bits.
        func bucket(_ host: UInt32) -> UInt32 {
            let value = host.byteSwapped
            return (value ^ value >> 9 ^ value >> 18 ^ value >> 27) & 511
        }
        var random = SplitMix(seed: Seed.value ^ 8)
        let wanted = bucket(0x0a4d_0001)
        let reports = scan(from: scanner, apart: .milliseconds(500)) { time in
            flood(20_000, from: time) { _ in
                var colliding: UInt32
                repeat {  // the flood is not to be the scanner's, nor of nobody
                    let host = UInt32.random(in: 1...UInt32.max, using: &random).byteSwapped
                    colliding = (host ^ bucket(host.byteSwapped) ^ wanted).byteSwapped
                } while colliding == 0x0a4d_0001 || colliding == 0
                precondition(bucket(colliding) == wanted)
                return Address(ipv4: colliding)
            }
        }
        #expect(ports(reports.first) == [1, 2, 3, 4, 5, 6])
        #expect(watch.sourcesEvicted == 0)
    }

    @Test func onceItHasTwoPortsNoNumberOfSourcesSeenOnceHidesAScan() {
        var random = SplitMix(seed: Seed.value ^ 7)
        #expect(watch.observe(segment(to: 1, from: scanner), at: 0) == nil)
        #expect(watch.observe(segment(to: 2, from: scanner), at: 0) == nil)
        flood(300_000, from: 0) { _ in Address(ipv6High: random.next() | 1, low: random.next()) }
        let reports = (UInt16(3)...8).compactMap { watch.observe(segment(to: $0, from: scanner), at: .seconds(3)) }
        #expect(ports(reports.first) == [1, 2, 3, 4, 5, 6])
        #expect(watch.firstTouchesLost > 200_000)
    }

    @Test func sourcesWithTwoPortsPushOutTheOldestFirst() {
        // As many as are followed, and then some: what is lost is the oldest, and counted.
        let capacity = UInt32(Parameters.Detector.capacity)
        for host in 0..<capacity + 100 {
            let source = Address(ipv4: 0x0b00_0000 + host)
            #expect(watch.observe(segment(to: 1, from: source), at: 0) == nil)
            #expect(watch.observe(segment(to: 2, from: source), at: 0) == nil)
        }
        let lost = watch.sourcesEvicted
        #expect((100...110).contains(lost))  // a few for the cap of a bucket
        #expect(watch.sourcesFollowed == Int(capacity) + 100 - Int(lost))
        // The youngest hundred are all there.
        for host in capacity..<capacity + 100 {
            let source = Address(ipv4: 0x0b00_0000 + host)
            #expect((UInt16(3)...7).compactMap { watch.observe(segment(to: $0, from: source), at: 0) }.count == 1)
        }
        #expect(watch.sourcesEvicted == lost)
    }
}
