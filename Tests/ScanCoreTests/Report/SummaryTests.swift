import Testing

@testable import ScanCore

/// The sources of scans that were not logged are named when the silence is over.
struct SummaryTests {
    private var limiter = ReportLimiter()

    /// Scans of sources 10.77.2.1 and up, at times.
    @discardableResult
    private mutating func scan(_ hosts: ClosedRange<UInt32>, at time: Int64 = 0) -> [ReportLimiter.Verdict] {
        hosts.map { scan(Address(ipv4: 0x0a4d_0200 + $0), at: time) }
    }

    @discardableResult
    private mutating func scan(_ source: Address, at time: Int64 = 0) -> ReportLimiter.Verdict {
        var finding = ScanFinding(makeReport(ports: [1], source: source))
        return limiter.admit(&finding, at: Timestamp(nanoseconds: time))
    }

    /// A scan of a source that has touched so many ports.
    @discardableResult
    private mutating func scan(_ source: Address, ports: UInt16, at time: Int64 = 0) -> ReportLimiter.Verdict {
        var finding = ScanFinding(makeReport(ports: Array(1..<ports), source: source))
        return limiter.admit(&finding, at: Timestamp(nanoseconds: time))
    }

    private mutating func summary(at time: Int64, atExit: Bool = false) -> [String] {
        var lines: [String] = []
        while let line = limiter.nextSummaryLine(at: Timestamp(nanoseconds: time), atExit: atExit) {
            lines.append(line.text.text)
        }
        return lines
    }

    private static let over = Int64.seconds(20) + 1

    @Test mutating func nothingIsSaidWhenEverythingWasLogged() {
        #expect(scan(1...5) == [.log, .log, .log, .log, .log])
        #expect(limiter.nextSummaryDue == nil)
        #expect(summary(at: .max) == [] && summary(at: .max, atExit: true) == [])
    }

    @Test mutating func theOneBehindTheNoticeIsNamed() {
        #expect(scan(1...6).last == .notice)
        #expect(summary(at: Self.over) == ["1 port scan from 1 source not logged in 20 s: 10.77.2.6"])
    }

    @Test mutating func itIsDueWhenTheSilenceIsOver() {
        scan(1...6)
        scan(7...9, at: .seconds(19))
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: Self.over))
        #expect(summary(at: Self.over - 1) == [])
        #expect(summary(at: Self.over).count == 1)
        #expect(limiter.nextSummaryDue == nil)
        #expect(summary(at: .max) == [])
    }

    @Test mutating func nineDecoysAreAllNamed() {
        scan(1...10)
        let addresses = (6...10).map { "10.77.2.\($0)" }.joined(separator: ", ")
        #expect(summary(at: Self.over) == ["5 port scans from 5 sources not logged in 20 s: " + addresses])
    }

    @Test mutating func theLongestAddressesOf32DecoysAreAllNamed() {
        for host in UInt32(0)..<33 { scan(Address(ipv4: 0xc8c8_c864 + host)) }  // 200.200.200.100 and up
        let lines = summary(at: Self.over)
        func names(_ range: Range<Int>) -> String {
            range.map { "200.200.200.\($0 + 100)" }.joined(separator: ", ")
        }
        #expect(
            lines == [
                "28 port scans from 28 sources not logged in 20 s: " + names(5..<9) + ",",
                "also not logged: " + names(9..<15) + ",",
                "also not logged: " + names(15..<21) + ",",
                "also not logged: " + names(21..<27) + ",",
                "also not logged: " + names(27..<33),
            ])
        #expect(lines.allSatisfy { $0.utf8.count <= 120 })
    }

    @Test mutating func aSourceIsNamedOnceAndEachScanCounted() {
        scan(1...5)
        for _ in 0..<10 { scan(1...2) }
        #expect(
            summary(at: Self.over) == ["20 port scans from 2 sources not logged in 20 s: 10.77.2.1, 10.77.2.2"])
    }

    @Test mutating func thoseThatDoNotFitAreCountedAndNamedInTheNext() {
        scan(1...5)
        for host in UInt32(0)..<100 { scan(Address(ipv4: 0xc8c8_c864 + host)) }
        let lines = summary(at: Self.over)
        #expect(lines.count == 7)
        #expect(lines[0].hasPrefix("100 port scans from 100 sources not logged in 20 s: 200.200.200.100, "))
        #expect(lines[6].hasSuffix(" and 61 more"))  // 4 + 5 * 6 + 5 are named
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: 2 * Self.over))
        #expect(summary(at: 2 * Self.over - 1) == [])
        let next = summary(at: 2 * Self.over)
        #expect(next[0].hasPrefix("61 sources of port scans not logged before: 200.200.200.139, "))
        #expect(next[6].hasSuffix(" and 22 more"))
        let last = summary(at: 3 * Self.over)
        #expect(last[0].hasPrefix("22 sources of port scans not logged before: 200.200.200.178, "))
        #expect(last.last?.hasSuffix(", 200.200.200.199") == true)
        #expect((lines + next + last).allSatisfy { $0.utf8.count <= 120 })
        #expect(limiter.nextSummaryDue == nil && summary(at: .max) == [])
    }

    @Test mutating func thoseFromBeforeStandBesideTheNewOnes() {
        scan(1...5)
        for host in UInt32(0)..<41 { scan(Address(ipv4: 0xc8c8_c864 + host)) }
        #expect(summary(at: Self.over)[6].hasSuffix(" and 2 more"))
        scan(1...7, at: Self.over + 1)
        let next = summary(at: 2 * Self.over)
        let head = "2 port scans from 2 sources not logged in 20 s, and 2 sources before: "
        #expect(next == [head + "200.200.200.139, 200.200.200.140, 10.77.2.6,", "also not logged: 10.77.2.7"])
    }

    @Test mutating func thoseThereIsNoRoomForAreCounted() {
        scan(1...5)
        for host in UInt32(0)..<129 { scan(Address(ipv4: 0x0a00_0000 + host)) }
        let one = summary(at: Self.over)
        #expect(one[0].hasPrefix("129 port scans from more than 128 sources not logged in 20 s: 10.0.0.0, 10.0.0.1, "))
        #expect(one.last?.hasSuffix(" more, and 1 scan of others") == true)

        scan(1...5, at: .seconds(200))
        for host in UInt32(0)..<1000 { scan(Address(ipv4: 0xc8c8_0000 + host), at: .seconds(200)) }
        let many = summary(at: .seconds(230))
        #expect(many[0].hasPrefix("1000 port scans from more than "))
        #expect(many[6].hasSuffix(" scans of others"))
    }

    @Test mutating func aForgerMustSendForEachDecoyAsMuchAsTheScan() {
        scan(1...5)
        let decoys = UInt32(SuppressedSources.capacity)
        // As many as there are places, of 20 ports each, and 5,000 of 7 after the scanner, who has 21.
        for host in 0..<decoys { scan(Address(ipv4: 0xc8c8_0000 + host), ports: 20) }
        #expect(scan(address("10.77.2.9"), ports: 21) == .suppress)
        for host in 0..<UInt32(5000) { scan(Address(ipv4: 0xc8c9_0000 + host), ports: 7) }
        #expect(summary(at: Self.over)[0].contains(" s: 10.77.2.9, "))
        // One more port for each decoy than he has, and he has to wait for one of the next summaries, but is named.
        limiter = ReportLimiter()
        scan(1...5, at: .seconds(100))
        for host in 0..<decoys - 1 { scan(Address(ipv4: 0xc8c8_0000 + host), ports: 21, at: .seconds(100)) }
        scan(address("10.77.2.9"), ports: 20, at: .seconds(100))
        #expect(!summary(at: .seconds(130)).joined().contains("10.77.2.9"))
        #expect((1...4).contains { summary(at: .seconds(130 + 30 * $0)).joined().contains("10.77.2.9") })
    }

    @Test func amongEqualsEachHasTheSameChanceWhereverHeStands() {
        // 300 decoys that do the same, the scanner last or first: named in the first summary are 40 of 295, and of the
        // summaries that follow, in which they go on, one in seven.
        for isLast in [true, false] {
            var named = 0
            for seed in UInt64(0)..<200 {
                var random = SplitMix(seed: seed)
                var limiter = ReportLimiter()
                let scanner = ScanFinding(makeReport(ports: [1], source: address("10.77.2.9")), lot: lot(&random))
                var findings = (0..<299).map {
                    ScanFinding(makeReport(ports: [1], source: Address(ipv4: 0xc8c8_0000 + $0)), lot: lot(&random))
                }
                findings.insert(scanner, at: isLast ? 299 : 5)
                for index in findings.indices { _ = limiter.admit(&findings[index], at: Timestamp(nanoseconds: 0)) }
                var lines = ""
                while let line = limiter.nextSummaryLine(at: Timestamp(nanoseconds: Self.over)) {
                    lines += line.text.text
                }
                if lines.contains("10.77.2.9") { named += 1 }
            }
            // 26.8 are to be expected, with a standard deviation of 4.8; the seeds are fixed.
            #expect((12...42).contains(named), "\(named) of 200")
        }
    }

    private func lot(_ random: inout SplitMix) -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }

    @Test mutating func theLongestIPv6AddressesAreNamed() {
        scan(1...5)
        for host in UInt64(0)..<64 {
            scan(Address(ipv6High: 0xfd77_ffff_ffff_ffff, low: 0xffff_ffff_ffff_ff00 + host))
        }
        let lines = summary(at: Self.over)
        #expect(lines.count == 7)
        #expect(lines[0].hasSuffix(" 20 s: fd77:ffff:ffff:ffff:ffff:ffff:ffff:ff00,"))
        #expect(lines[1].hasPrefix("also not logged: fd77:ffff:ffff:ffff:ffff:ffff:ffff:ff01, fd77:"))
        #expect(lines.allSatisfy { $0.utf8.count <= 120 })
    }

    @Test mutating func atTheExitEverybodyIsNamedAtOnce() {
        scan(1...8)
        #expect(summary(at: .seconds(3)) == [])
        #expect(
            summary(at: .seconds(3), atExit: true)
                == ["3 port scans from 3 sources not logged in 3 s: 10.77.2.6, 10.77.2.7, 10.77.2.8"])
        #expect(summary(at: .seconds(3), atExit: true) == [])
    }

    @Test mutating func theNextSilenceHasItsOwnSummary() {
        scan(1...7)
        #expect(summary(at: .seconds(25)).count == 1)
        #expect(scan(11...16, at: .seconds(26)).last == .notice)
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: .seconds(46) + 1))
        #expect(
            summary(at: .seconds(46) + 1) == ["1 port scan from 1 source not logged in 20 s: 10.77.2.16"])
    }

    @Test mutating func aLateSummaryPutsOffTheNext() {
        scan(1...6)
        scan(11...16, at: .seconds(21))  // the summary should have come
        #expect(summary(at: .seconds(30)) == ["2 port scans from 2 sources not logged in 30 s: 10.77.2.6, 10.77.2.16"])
        scan(17...17, at: .seconds(31))
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: .seconds(50) + 1))
    }

    @Test mutating func laterReportsDoNotPutTheSummaryOff() {
        scan(1...6)
        for step in Int64(1)...5 { scan(UInt32(step)...UInt32(step), at: .seconds(20 * step) + step) }
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: Self.over))
    }

    @Test mutating func timesAtTheEndOfTheClockDoNotTrap() {
        for host in UInt32(0)..<7 { scan(Address(ipv4: 1 + host), at: .max) }
        #expect(limiter.nextSummaryDue == Timestamp(nanoseconds: .max))
        #expect(summary(at: .max).count == 1)
        for host in UInt32(0)..<7 { scan(Address(ipv4: 1 + host), at: .min) }
        #expect(summary(at: .max).count == 1)
    }
}

/// Whatever arrives, the log stays readable, and every scan is in it, by name or by number.
struct LogVolumeTests {
    private struct Run {
        var times: [Int64] = []
        var logged = 0
        var suppressed = 0
        var told = 0
        var longest = 0
    }

    /// Reports at random times, with a summary asked for after each, or only now and then.
    private func run(seed: UInt64) -> Run {
        var random = SplitMix(seed: seed)
        var limiter = ReportLimiter()
        var run = Run()
        var now: Int64 = 0
        let sources = UInt32.random(in: 1...200, using: &random)
        let usual: Int64 =
            [1_000 as Int64, .milliseconds(10), .milliseconds(700), .seconds(4)].randomElement(using: &random) ?? 0
        for _ in 0..<3000 {
            now += Int64.random(in: 0...usual, using: &random)
            if Int.random(in: 0..<200, using: &random) == 0 {
                now +=
                    [.seconds(20), .seconds(20) + 1, .seconds(20) - 1, .seconds(60)].randomElement(using: &random) ?? 0
            }
            if Int.random(in: 0..<4, using: &random) > 0 { tell(&limiter, at: now, &run) }
            let source = Address(ipv4: 0xc8c8_0000 + UInt32.random(in: 0..<sources, using: &random))
            var finding = ScanFinding(makeReport(ports: [1], source: source))
            switch limiter.admit(&finding, at: Timestamp(nanoseconds: now)) {
            case .log:
                run.times.append(now)
                run.logged += 1
            case .notice:
                run.times.append(now)
                run.suppressed += 1
            case .suppress:
                run.suppressed += 1
            }
        }
        tell(&limiter, at: now + .seconds(60), &run)
        return run
    }

    private func tell(_ limiter: inout ReportLimiter, at now: Int64, _ run: inout Run) {
        while let line = limiter.nextSummaryLine(at: Timestamp(nanoseconds: now)) {
            let text = line.text.text
            run.times.append(now)
            run.longest = max(run.longest, text.utf8.count)
            if text.contains(" not logged in ") { run.told += Int(text.prefix { $0 != " " }) ?? 0 }
        }
    }

    @Test(arguments: 0..<300)
    func atMost13LinesIn20SecondsAndEveryScanIsCounted(sequence: Int) {
        let run = run(seed: Seed.value &+ 8000 &+ UInt64(sequence))
        var first = 0
        var most = 0
        for index in run.times.indices {
            while run.times[index] - run.times[first] > .seconds(20) { first += 1 }
            most = max(most, index - first + 1)
        }
        let place = "SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence)"
        #expect(most <= 13 && ReportLimiter.mostLines == 13, "\(place): \(most) lines")
        #expect(run.logged + run.suppressed == 3000 && run.told == run.suppressed, "\(place)")
        #expect(run.longest <= 120, "\(place)")
    }

    @Test func aRandomRunReachesTheMost() {
        let most = (UInt64(0)..<60).map { run(seed: $0).times.count }.max() ?? 0
        #expect(most > 50)
    }
}
