import Testing

@testable import ScanCore

/// How long a source may wait between two ports, and how often it is reported.
struct GapTests {
    /// The times at which lines came when ports 1 and up were probed so far apart.
    private func probe(_ count: UInt16, apart gap: Int64, from first: Int64 = 0) -> [UInt16] {
        let watch = Watch()
        return (1...count).filter { watch.send($0, at: first + Int64($0) * gap) != nil }
    }

    @Test func portsExactly3SecondsApartReport() {
        #expect(probe(7, apart: .seconds(3)) == [7])
    }

    @Test func portsANanosecondMoreApartAreSilent() {
        #expect(probe(100, apart: .seconds(3) + 1) == [])
    }

    @Test func ports2900MillisecondsApartReport() {
        #expect(probe(8, apart: .milliseconds(2900)) == [7])
    }

    @Test func ports3100MillisecondsApartAreSilent() {
        #expect(probe(10, apart: .milliseconds(3100)) == [])
    }

    @Test func theClockMayStandAnywhere() {
        #expect(probe(7, apart: .seconds(3), from: .seconds(-10)) == [7])
        #expect(probe(7, apart: .seconds(3), from: .max - .seconds(22)) == [7])
        #expect(probe(7, apart: .seconds(3), from: .min) == [7])
    }

    @Test func afterALongerGapTheSourceIsNew() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(7, at: .seconds(3) + 1) == nil)
        #expect(watch.send(each: 1...5, at: .seconds(4)) == [])
        #expect(watch.send(6, at: .seconds(4))?.contains(" ports 7, 1, 2, 3, 4, 5, ..., ") == true)
    }

    @Test func theGapIsMeasuredFromTheLastNewPort() {
        let watch = Watch()
        #expect(watch.send(each: 1...5) == [])
        #expect(watch.send(6, at: .seconds(3)) == nil)
        #expect(watch.send(7, at: .seconds(6)) != nil)
    }

    @Test func aRepeatedPortDoesNotKeepTheSource() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(6, at: .seconds(3)) == nil)
        #expect(watch.send(7, at: .seconds(3) + 1) == nil)
    }

    @Test(arguments: [TCPFlags.rst, .ack.union(.syn), .ack.union(.fin), .ack])
    func anAnswerDoesNotKeepTheSource(flags: TCPFlags) {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(99, flags, at: .seconds(3)) == nil)
        #expect(watch.send(7, at: .seconds(3) + 1) == nil)
    }

    @Test func aTimeInThePastMakesTheSourceNew() {
        let watch = Watch()
        #expect(watch.send(each: 1...6, at: .seconds(100)) == [])
        #expect(watch.send(7, at: .seconds(100) - 1) == nil)
        #expect(watch.sourcesHeld == 1)
        #expect(watch.send(each: 1...6, at: .seconds(100)).count == 1)
    }

    @Test func theSameTimeIsNotThePast() {
        let watch = Watch()
        #expect(watch.send(each: 1...6, at: .seconds(100)) == [])
        #expect(watch.send(7, at: .seconds(100)) != nil)
    }

    @Test func timesAsFarApartAsCanBeMakeTheSourceNew() {
        let watch = Watch()
        #expect(watch.send(each: 1...6, at: .min) == [])
        #expect(watch.send(7, at: .max) == nil)
        #expect(watch.send(each: 1...5, at: .min) == [])
        #expect(watch.send(6, at: .min) == nil)
        #expect(watch.send(7, at: .min) != nil)
    }
}

/// A scan is reported once, until its source was quiet for longer than 3 seconds.
struct ReportOnceTests {
    private let watch = Watch()

    init() {
        precondition(watch.send(each: 1...7).count == 1)
    }

    @Test func allLaterPortsOfTheScanAreSilent() {
        #expect(watch.send(each: 8...1000) == [])
    }

    @Test func twoSecondsLaterItIsSilent() {
        #expect(watch.send(each: 101...120, at: .seconds(2)) == [])
    }

    @Test func fourSecondsLaterItIsReportedAgain() {
        #expect(watch.send(each: 101...106, at: .seconds(4)) == [])
        let line = watch.send(107, at: .seconds(4))
        #expect(line?.contains(" ports 101, 102, 103, 104, 105, 106, ..., ") == true)
        #expect(line?.hasSuffix(" @12:35:00") == true)
    }

    @Test func exactly3SecondsLaterItIsSilent() {
        #expect(watch.send(each: 101...120, at: .seconds(3)) == [])
    }

    @Test func aNanosecondMoreAndItIsReportedAgain() {
        #expect(watch.send(each: 101...120, at: .seconds(3) + 1).count == 1)
    }

    @Test func newPortsKeepItSilent() {
        for step in Int64(1)...50 {
            #expect(watch.send(UInt16(1000 + step), at: .seconds(3 * step)) == nil)
        }
        #expect(watch.send(each: 1...7, at: .seconds(153)) == [])
    }

    @Test func repeatedPortsDoNotKeepItSilent() {
        #expect(watch.send(each: 1...6, at: .seconds(3)) == [])
        #expect(watch.send(each: 1...7, at: .seconds(3) + 1).count == 1)
    }

    @Test func thePortThatTippedItIsStillNew() {
        // It is not listed, so seeing it again counts as a new port and puts the quiet off.
        #expect(watch.send(7, at: .seconds(3)) == nil)
        #expect(watch.send(each: 1...20, at: .seconds(6)) == [])
    }

    @Test func answersDoNotKeepItSilent() {
        #expect(watch.send(99, .rst, at: .seconds(3)) == nil)
        #expect(watch.send(99, .ack.union(.syn), at: .seconds(3)) == nil)
        #expect(watch.send(each: 1...7, at: .seconds(3) + 1).count == 1)
    }

    @Test func anotherSourceIsReportedMeanwhile() {
        #expect(watch.send(each: 1...7, from: address("10.77.0.9")).count == 1)
    }

    @Test func aTimeInThePastLetsItBeReportedAgain() {
        #expect(watch.send(each: 1...7, at: -1).count == 1)
    }
}
