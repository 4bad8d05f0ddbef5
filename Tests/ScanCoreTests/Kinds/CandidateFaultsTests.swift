import Testing

@testable import ScanCore

/// The checks of the other kinds' tables: a check that finds nothing wrong with a broken table proves nothing.
struct CandidateFaultsTests {
    private static let second: Int64 = 1_000_000_000
    private typealias Detector = ScanDetector<64, 256, 512, 16>

    /// A source of each class that tried two ports or more, and two hosts of an IPv6 network with one each.
    private func detector() -> Detector {
        var detector = Detector(key: .forTests)
        var settings = KindSettings(.all)
        settings.firstClientPort = 32_768
        detector.detect(settings)
        let now = Timestamp(nanoseconds: 1000 * Self.second)
        for number in UInt16(1)...4 {
            let host = Address(ipv4: 0x0a4d_0000 + UInt32(number))
            for probe in [
                segment(to: number, from: Self.source), segment(to: 80, from: Self.source, destination: host),
                segment(to: number, from: address("fd77::\(number)"), destination: address("fd77::ff")),
                segment(to: number, from: Self.lone(number), destination: address("fd77::ff")),
            ] {
                _ = detector.find(probe, at: now, realTime: .seconds(1000))
            }
            for target in [PairClass.udp, .ack, .protocols, .sctp] {
                let event = PairEvent(target, .refused, by: Self.source, at: host, port: number)
                _ = detector.observe(event, at: now, realTime: .seconds(1000))
            }
            let echo = PairEvent(.echo, .tried, by: Self.source, at: host, port: 0)
            _ = detector.observe(echo, at: now, realTime: .seconds(1000))
        }
        return detector
    }

    private static let source = address("192.0.2.1")

    /// A host in a network of its own, which stays one of a single pair.
    private static func lone(_ number: UInt16) -> Address {
        Address(ipv6High: 0x2001_0db8 << 32 | UInt64(number), low: 1)
    }

    /// What is wrong with a detector in which something was broken.
    private func fault(_ breakIt: (inout Detector) -> Void) -> String? {
        var detector = detector()
        let before = detector.fault
        #expect(before == nil)
        breakIt(&detector)
        return detector.fault
    }

    /// What is wrong if a candidate of a class is broken.
    private func fault(_ target: PairClass, _ breakIt: (inout Candidate) -> Void) -> String? {
        fault { detector in
            guard let place = detector.place(of: target, isIPv4: true) else {
                Issue.record("no candidate of \(target)")
                return
            }
            detector.candidates.withEntry(place, breakIt)
        }
    }

    @Test func aWholeDetectorHasCandidatesOfAllClasses() {
        var detector = detector()
        let fault = detector.fault
        #expect(fault == nil)
        for target in [PairClass.tcp, .ack, .udp, .protocols, .sctp, .echo, .sweep] {
            let place = detector.place(of: target, isIPv4: true)
            #expect(place != nil, "\(target)")
        }
        let ofPrefix = detector.place(of: .tcp, isIPv4: false)
        #expect(ofPrefix != nil)
        let isFresh = detector.candidates.isFresh || detector.prefixes.isFresh || detector.clients.isFresh
        #expect(!isFresh)
    }

    @Test func anUnusedDetectorIsFreshInEachTable() {
        var detector = Detector(key: .forTests)
        let areFresh = [detector.candidates.isFresh, detector.prefixes.isFresh, detector.clients.isFresh]
        #expect(areFresh == [true, true, true])
        detector.clients.insert(Self.source, port: 1, peer: Self.source, .forTests)
        let isFresh = detector.isFresh
        #expect(!isFresh)
    }

    @Test func aCandidateInAnotherSetIsFound() {
        let found = fault { detector in
            guard let place = detector.place(of: .tcp, isIPv4: true) else { return }
            let other = (place.set + 1) % 16
            for way in 0..<8 {
                detector.candidates.tags[other][way] = way == 0 ? detector.candidates.tags[place.set][place.way] : 0
                detector.candidates.entries[other][way] =
                    way == 0 ? detector.candidates.entries[place.set][place.way] : Candidate()
            }
        }
        #expect(found == "a candidate is in a set that its hash does not lead to")
    }

    @Test func aCandidateWithAnotherTagIsFound() {
        let found = fault { detector in
            guard let place = detector.place(of: .udp, isIPv4: true) else { return }
            detector.candidates.tags[place.set][place.way] ^= 2
        }
        #expect(found == "a candidate's tag is that of another hash")
    }

    @Test func aTagWithoutACandidateIsFound() {
        let found = fault { detector in
            guard let place = detector.place(of: .echo, isIPv4: true) else { return }
            detector.candidates.entries[place.set][place.way] = Candidate()
        }
        #expect(found == "a free place has a tag")
    }

    @Test(arguments: [PairClass.tcp, .udp, .sweep])
    func aCandidateThatIsThereTwiceIsFound(target: PairClass) {
        let found = fault { detector in
            guard let place = detector.place(of: target, isIPv4: true) else { return }
            let way = (place.way + 1) % 8
            detector.candidates.tags[place.set][way] = detector.candidates.tags[place.set][place.way]
            detector.candidates.entries[place.set][way] = detector.candidates.entries[place.set][place.way]
        }
        #expect(found == "a source is a candidate twice")
    }

    @Test func aWrongNumberOfPairsIsFound() {
        #expect(fault(.tcp) { $0.pairCount = 0 } == "a candidate has no pairs, or too many")
        #expect(fault(.tcp) { $0.pairCount = 33 } == "a candidate has no pairs, or too many")
        #expect(fault(.sctp) { $0.pairCount -= 1 } == "there is a pair behind a candidate's last")
        #expect(
            fault(.sctp) { $0.pairs[31] = Pair(destination: 0, port: 0, state: .open, at: 0) }
                == "there is a pair behind a candidate's last")
    }

    @Test func aPairThatIsThereTwiceIsFound() {
        #expect(fault(.udp) { $0.pairs[2] = $0.pairs[1] } == "a candidate has a pair twice")
    }

    @Test func aPairThatItsClassHasNotIsFound() {
        let pair = Pair(destination: 7, port: 1000, state: .pending, at: 0)
        #expect(fault(.sweep) { $0.pairs[1] = pair } == "a sweep is of two ports")
        #expect(fault(.echo) { $0.pairs[1] = pair } == "a ping has a port")
        #expect(fault(.protocols) { $0.pairs[1] = pair } == "a protocol has a number above 255")
        #expect(fault(.udp) { $0.pairs[1] = pair } == nil)
    }

    @Test func aSourceThatIsNoneIsFound() {
        #expect(fault(.tcp) { $0.sourceHigh = 1 } == "a candidate's IPv4 address has more than 32 bits")
        #expect(fault(.tcp) { $0.sourceLow |= 1 << 32 } == "a candidate's IPv4 address has more than 32 bits")
        #expect(fault(.tcp) { $0.sourceLow = 0 } == "a candidate is nobody")
        #expect(fault(.tcp) { $0.sourceLow ^= 1 << 20 } == "a candidate is in a set that its hash does not lead to")
    }

    @Test func otherAddressesThatCannotBeAreFound() {
        #expect(fault(.tcp) { $0.otherAddresses[0] = 1 } == "a candidate of IPv4 has other addresses")
        for (index, tag, words) in [
            (1, UInt16(0), "a candidate's other addresses have a gap, or one twice"),
            (0, 0x8001, "a candidate's other address has no tag of 15 bits"),
        ] {
            let found = fault { detector in
                guard let place = detector.place(of: .tcp, isIPv4: false) else { return }
                detector.candidates.withEntry(place) { $0.otherAddresses[index] = tag }
            }
            #expect(found == words)
        }
        let found = fault { detector in
            guard let place = detector.place(of: .tcp, isIPv4: false) else { return }
            detector.candidates.withEntry(place) { $0.otherAddresses[2] = $0.otherAddresses[0] }
        }
        #expect(found == "a candidate's other addresses have a gap, or one twice")
    }

    @Test func aTimeThatRunsBackIsFound() {
        let words = "a candidate ends before it begins, or lasts too long"
        #expect(fault(.udp) { $0.first = $0.last &+ 1 } == words)
        #expect(fault(.udp) { $0.first = $0.last &- UInt32(Parameters.longestDuration) } == nil)
        #expect(fault(.udp) { $0.first = $0.last &- UInt32(Parameters.longestDuration) &- 1 } == words)
    }

    @Test func aReportThatWasNeverMadeIsFound() {
        #expect(
            fault(.tcp) {
                $0.marks.isReportedAsQuick = true
                $0.marks.isReported = false
            } == "a candidate was reported as quick and not at all")
        #expect(
            fault(.sctp) { $0.suppression.newPorts = 1 } == "a candidate's report was suppressed and never made")
        #expect(
            fault(.udp) { $0.markReported(at: 0, asQuick: true) }
                == "a candidate of another class was reported as quick")
    }

    @Test func flagsThatContradictEachOtherAreFound() {
        #expect(fault(.tcp) { $0.flagsAlwaysSet = .fin } == "a flag was always set and never")
        #expect(
            fault(.tcp) {
                $0.flagsEverSet = .none
                $0.flagsAlwaysSet = .all
            } == nil)
    }

    // MARK: The index of prefixes

    /// The line and slot of the first segment of a lone host.
    private func slot(of number: UInt16, in detector: inout Detector) -> (line: Int, slot: UInt32)? {
        let hash = detector.key.hash(Self.lone(number).prefix)
        let line = Int(hash) & 63
        for place in 0..<16 {
            let slot = detector.prefixes.sets[line >> 2][line & 3][place]
            if slot != 0 && slot & ProbationIndex.fingerprintMask == hash >> 20 { return (line, slot) }
        }
        return nil
    }

    @Test func aPrefixThatLeadsToAnothersRecordIsFound() {
        for isInAnotherLine in [false, true] {
            let found = fault { detector in
                guard let (line, slot) = slot(of: 1, in: &detector) else {
                    Issue.record("no slot")
                    return
                }
                let target = isInAnotherLine ? line ^ 1 : line
                detector.prefixes.sets[target >> 2][target & 3] = ProbationIndex()
                let broken = isInAnotherLine ? slot : slot ^ 1
                detector.prefixes.sets[target >> 2][target & 3].insert(broken)
            }
            #expect(found == "a prefix leads to a record of another one")
        }
    }

    @Test func aPrefixThatLeadsToARecordOfIPv4IsFound() {
        let found = fault { detector in
            let now = Timestamp(nanoseconds: 1001 * Self.second)
            _ = detector.find(segment(to: 1, from: address("198.51.100.1")), at: now, realTime: .seconds(1001))
            detector.prefixes.insert(newestOf: detector.probation, hash: 0)
        }
        #expect(found == "a prefix leads to another record than an IPv6 segment's")
    }

    @Test func aPrefixThatIsInALineTwiceIsFound() {
        let found = fault { detector in
            guard let (line, slot) = slot(of: 2, in: &detector) else { return }
            detector.prefixes.sets[line >> 2][line & 3].insert(slot)
        }
        #expect(found == "a line of prefixes is out of order")
    }

    // MARK: The clients

    @Test func aClientInAPlaceThatIsNotItsIsFound() {
        for (tags, words) in [
            ([UInt32(5), 7, 5], "a client is known twice"), ([5, 6, 7], "a client's tag is even"),
            ([5, 0, 7], "a client is behind a free place"),
        ] {
            let found = fault { detector in
                for (place, tag) in tags.enumerated() { detector.clients.sets[3][8 + place] = tag }
                detector.clients.sets[3][12] = tags[0]  // another place: no fault
            }
            #expect(found == words)
        }
    }
}

extension ScanDetector {
    /// The place of the first candidate of a class and version of IP.
    mutating func place(of target: PairClass, isIPv4: Bool) -> CandidatePlace? {
        for set in 0..<candidateSets {
            for way in 0..<8 {
                let place = CandidatePlace(set: set, way: way)
                let isIt = candidates.withEntry(place) {
                    $0.isUsed && $0.target == target && $0.marks.isIPv4 == isIPv4
                }
                if isIt { return place }
            }
        }
        return nil
    }
}
