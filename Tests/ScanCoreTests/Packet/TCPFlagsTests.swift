import Testing

@testable import ScanCore

/// The flags byte by itself.
struct TCPFlagsTests {
    @Test func eachFlagIsItsBit() {
        let all: [TCPFlags] = [.fin, .syn, .rst, .psh, .ack, .urg, .ece, .cwr]
        #expect(all.map(\.rawValue) == [1, 2, 4, 8, 16, 32, 64, 128])
        #expect(TCPFlags.none.rawValue == 0)
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func onlyACKAndPSHWithACKAreEstablishedData(byte: UInt8) {
        #expect(TCPFlags(rawValue: byte).isEstablishedData == (byte == 0x10 || byte == 0x18))
    }

    @Test func containsWantsAllAndContainsAnyOne() {
        let flags = TCPFlags.syn.union(.ack)
        #expect(flags.rawValue == 0x12)
        #expect(flags.contains(.syn) && flags.contains(flags) && flags.contains(.none))
        #expect(!flags.contains(.syn.union(.fin)))
        #expect(flags.containsAny(of: .syn.union(.fin)))
        #expect(!flags.containsAny(of: .fin.union(.rst)))
        #expect(!flags.containsAny(of: .none))
        #expect(flags.intersection(.syn.union(.fin)) == .syn)
    }
}

/// Which flags make a probe.
struct ProbeFlagsTests {
    @Test(arguments: UInt8.min...UInt8.max)
    func anyFlagsWithoutACKAndRSTScan(byte: UInt8) {
        let flags = TCPFlags(rawValue: byte)
        let lines = Watch().send(each: 1...7, flags)
        #expect(lines.count == (byte & 0x14 == 0 ? 1 : 0))
    }

    @Test(arguments: [
        ("fSrpauxy", TCPFlags.syn), ("Fsrpauxy", .fin), ("fsrpauxy", .none),
        ("FsrPaUxy", .fin.union(.psh).union(.urg)), ("FSrpauxy", .syn.union(.fin)),
        ("fSrpauXY", .syn.union(.ece).union(.cwr)),
    ])
    func everyKindOfScanIsNamed(letters: String, flags: TCPFlags) {
        let start = "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., "
        #expect(Watch().send(each: 1...7, flags) == [start + letters + ", TOS 00, TTL 64 @12:34:56"])
    }

    @Test(arguments: UInt8.min...UInt8.max)
    func anACKFromANewSourceMakesNoEntry(byte: UInt8) {
        let watch = Watch()
        #expect(watch.send(80, TCPFlags(rawValue: byte)) == nil)
        #expect(watch.sourcesHeld == (byte & 0x10 == 0 ? 1 : 0))
    }

    @Test func aRSTAloneFromANewSourceMakesAnEntry() {
        let watch = Watch()
        #expect(watch.send(1, .rst) == nil)
        #expect(watch.sourcesHeld == 1)
        #expect(watch.send(each: 2...6) == [])
        let line =
            "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., f??pauxy, TOS 00, TTL 64 @12:34:56"
        #expect(watch.send(7) == line)
    }

    @Test func anACKFromASourceGrownOldForgetsIt() {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(7, .ack.union(.fin), at: .seconds(4)) == nil)
        #expect(watch.sourcesHeld == 0)
        #expect(watch.send(8, at: .seconds(1)) == nil)
    }

    @Test(arguments: [UInt8(0x04), 0x14, 0x12, 0x11, 0x3f, 0xff, 0x10, 0x18])
    func anAnswerToANewPortIsNotCounted(byte: UInt8) {
        let watch = Watch()
        #expect(watch.send(each: 1...6) == [])
        #expect(watch.send(each: 100...200, TCPFlags(rawValue: byte)) == [])
        let line =
            "10.77.0.1:40000 to 10.77.0.2 ports 1, 2, 3, 4, 5, 6, ..., fSrpauxy, TOS 00, TTL 64 @12:34:56"
        #expect(watch.send(7) == line)
    }

    /// The flags in the line when one of the listed ports is seen again with some flags.
    private func letters(repeating flags: TCPFlags) -> Substring? {
        let watch = Watch()
        _ = watch.send(each: 1...6)
        precondition(watch.send(3, flags) == nil)
        return watch.send(7)?.split(separator: ", ").first { $0.count == 8 }
    }

    @Test func aRepeatedPortMergesItsFlags() {
        #expect(letters(repeating: .syn) == "fSrpauxy")
        #expect(letters(repeating: .fin) == "??rpauxy")
        #expect(letters(repeating: .none) == "f?rpauxy")
        #expect(letters(repeating: .rst) == "f??pauxy")
        #expect(letters(repeating: .syn.union(.rst)) == "fS?pauxy")
        #expect(letters(repeating: .syn.union(.ece).union(.cwr)) == "fSrpau??")
    }

    @Test func exactlyACKOrPSHWithACKIsIgnoredAlsoForAListedPort() {
        #expect(letters(repeating: .ack) == "fSrpauxy")
        #expect(letters(repeating: .ack.union(.psh)) == "fSrpauxy")
    }

    @Test func otherFlagsWithACKMergeForAListedPort() {
        #expect(letters(repeating: .ack.union(.fin)) == "??rp?uxy")
        #expect(letters(repeating: .ack.union(.syn)) == "fSrp?uxy")
        #expect(letters(repeating: .ack.union(.rst)) == "f??p?uxy")
        #expect(letters(repeating: .ack.union(.urg)) == "f?rp??xy")
    }
}
