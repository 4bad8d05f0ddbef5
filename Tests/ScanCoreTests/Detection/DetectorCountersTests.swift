import Testing

@testable import ScanCore

/// What is counted.
struct DetectorCountersTests {
    @Test func allIsZeroAtTheStart() {
        #expect(Watch().counters == DetectorCounters())
        #expect(Watch().sourcesHeld == 0)
        #expect(Watch().sourcesEvicted == 0)
    }

    @Test func probesArePacketsToNewPorts() {
        let watch = Watch()
        #expect(watch.send(each: [80, 80, 81, 80, 82]) == [])
        #expect(watch.counters.packets == 5)
        #expect(watch.counters.probes == 3)
        #expect(watch.counters.ignored == 0)
    }

    @Test func answersAndDataAreIgnored() {
        let watch = Watch()
        let ignored: [TCPFlags] = [.ack, .ack.union(.psh), .ack.union(.syn), .ack.union(.rst)]
        for flags in ignored { #expect(watch.send(80, flags) == nil) }
        #expect(watch.counters.ignored == 4)
        #expect(watch.send(80) == nil)
        for flags in ignored + [.rst] { #expect(watch.send(81, flags) == nil) }
        #expect(watch.counters.ignored == 9)
        #expect(watch.counters.probes == 1)
        #expect(watch.counters.packets == 10)
    }

    @Test func faultsAreIgnoredOrMalformed() {
        let watch = Watch()
        watch.count(.otherProtocol)
        #expect(watch.counters.ignored == 1)
        watch.count(.fragment)
        #expect(watch.counters.ignored == 2)
        #expect(watch.counters.malformed == 0)
        watch.count(.truncated)
        #expect(watch.counters.malformed == 1)
        watch.count(.malformed)
        #expect(watch.counters.malformed == 2)
        #expect(watch.counters.ignored == 2)
        #expect(watch.counters.packets == 4)
        #expect(watch.counters.probes == 0)
    }

    @Test func aScanIsCountedOnce() {
        let watch = Watch()
        #expect(watch.send(each: 1...100).count == 1)
        #expect(watch.counters.reports == 1)
        #expect(watch.counters.suppressed == 0)
        #expect(watch.counters.probes == 100)
    }

    @Test func sourcesPushedOutAreCounted() {
        let watch = Watch()
        for host in UInt32(1)...255 { _ = watch.send(each: 80...81, from: Address(ipv4: 0x0a4d_0000 + host)) }
        #expect(watch.sourcesHeld + Int(watch.sourcesEvicted) == 255)
        let before = watch.sourcesEvicted
        for host in UInt32(1)...1000 { _ = watch.send(each: 80...81, from: Address(ipv4: 0x0a4e_0000 + host)) }
        #expect(watch.sourcesHeld <= 256)
        #expect(UInt64(watch.sourcesHeld) + watch.sourcesEvicted == 1255)
        #expect(watch.sourcesEvicted > before)
        #expect(watch.probationLost == 0)
    }

    @Test func firstTouchesPushedOutAreCounted() {
        let watch = Watch()
        for host in UInt32(1)...512 { #expect(watch.send(80, from: Address(ipv4: 0x0a4d_0000 + host)) == nil) }
        #expect(watch.probationLost == 0 && watch.sourcesHeld == 512)
        for host in UInt32(1)...1000 { #expect(watch.send(80, from: Address(ipv4: 0x0a4e_0000 + host)) == nil) }
        #expect(watch.probationLost == 1000 && watch.sourcesHeld == 512)
        #expect(watch.sourcesEvicted == 0 && watch.sourcesFollowed == 0)
    }

    @Test func whatGrewOldIsNotCountedAsPushedOut() {
        let watch = Watch()
        for host in UInt32(1)...300 { _ = watch.send(each: 80...81, from: Address(ipv4: 0x0a4d_0000 + host)) }
        let (evicted, followed) = (watch.sourcesEvicted, watch.sourcesFollowed)
        for host in UInt32(1)...512 { _ = watch.send(80, from: Address(ipv4: 0x0a4e_0000 + host)) }
        let lost = watch.probationLost
        for host in UInt32(1)...512 {
            _ = watch.send(80, from: Address(ipv4: 0x0a4f_0000 + host), at: .seconds(3) + 1)
        }
        #expect(watch.probationLost == lost)
        for host in UInt32(1)...300 {
            _ = watch.send(each: 80...81, from: Address(ipv4: 0x0a50_0000 + host), at: .seconds(4))
        }
        #expect(watch.sourcesFollowed == followed && watch.sourcesEvicted - evicted < 60)
    }

    @Test func aSourceGrownOldIsNotCountedAsPushedOut() {
        let watch = Watch()
        #expect(watch.send(80) == nil)
        #expect(watch.send(80, at: .seconds(10)) == nil)
        #expect(watch.sourcesHeld == 1)
        #expect(watch.sourcesEvicted == 0)
        #expect(watch.counters.probes == 2)
    }
}
