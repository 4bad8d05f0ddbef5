#if Pcap
    import CLinux
    import ScanCore
    import System
    import Testing

    @testable import Capture

    /// Captures of real scans and of harmless traffic, against the lines that the reference gives.
    struct PcapReplayCaptureTests {
        private static let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

        static func names() throws -> [String] {
            let lines = try TestFile.contents("captures/INDEX.tsv").split(separator: "\n").dropFirst()
            return lines.compactMap { $0.split(separator: "\t").first.map { String($0) } }
        }

        private static func expected(_ name: String) throws -> [String] {
            if name == "nmap_6_sS" {  // The reference knows no IPv6.
                let line = "[fd77::1]:55334 to fd77::2 ports 554, 113, 8080, 135, 23, 25, ..., "
                return [line + "fSrpauxy, TOS 00, TTL 255 @09:17:05"]
            }
            if name == "clog_sample" { return [] }  // single packets of each kind, which are no scan
            return try TestFile.contents("captures/\(name).expected").split(separator: "\n").map { String($0) }
        }

        @Test(arguments: try names())
        func aCaptureGivesTheLinesOfTheReference(name: String) throws {
            let replayed = replay(path: "/\(Self.folder)/Fixtures/captures/\(name).pcap")
            #expect(replayed.lines == (try Self.expected(name)))
            #expect(replayed.error == nil)
        }

        @Test func thereAreCaptures() throws {
            #expect(try Self.names().count > 30)
        }
    }

    struct PcapFileTests {
        @Test(arguments: [true, false], [true, false])
        func pcapIsReadInBothByteOrdersAndPrecisions(bigEndian: Bool, nanoseconds: Bool) throws {
            let text = CaptureText(bigEndian: bigEndian)
            var bytes = text.header(linkType: 1, nanoseconds: nanoseconds)
            bytes += text.record(synFrame(to: 22), seconds: 1_700_000_000, fraction: 123_456)
            bytes += text.record(synFrame(to: 23), seconds: 4_000_000_000)
            let replayed = try replay(bytes)
            #expect(replayed.ports == [22, 23])
            let fraction: Int64 = nanoseconds ? 123_456 : 123_456_000
            #expect(replayed.arrivals[0].time.nanoseconds == 1_700_000_000_000_000_000 + fraction)
            #expect(replayed.arrivals[0].realTime == 1_700_000_000_000_000_000 + fraction)
            #expect(replayed.arrivals[1].realTime == 4_000_000_000_000_000_000)
            #expect(replayed.error == nil)
        }

        @Test(arguments: [true, false], [nil, 3, 6, 9] as [UInt8?])
        func pcapngIsReadInBothByteOrdersAndPrecisions(bigEndian: Bool, digits: UInt8?) throws {
            let text = CaptureText(bigEndian: bigEndian)
            let unit: UInt64 = digits == 3 ? 1_000 : digits == 9 ? 1_000_000_000 : 1_000_000
            var bytes = text.sectionHeader() + text.interface(linkType: 1, digits: digits)
            bytes += text.block(0x0bad, [1, 2, 3])  // of an unknown type: to be skipped
            bytes += text.packet(synFrame(to: 22), time: 1_700_000_000 * unit + unit / 4)
            let replayed = try replay(bytes)
            #expect(replayed.ports == [22])
            #expect(replayed.arrivals.first?.time.nanoseconds == 1_700_000_000_250_000_000)
            #expect(replayed.error == nil)
        }

        @Test func pcapngMayHaveSeveralInterfacesWithTheirOwnPrecision() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader() + text.interface(linkType: 1, digits: 6)
            bytes += text.interface(linkType: 1, digits: 9)
            bytes += text.packet(synFrame(to: 22), time: 5_000_000, interface: 0)
            bytes += text.packet(synFrame(to: 23), time: 6_000_000_000, interface: 1)
            let replayed = try replay(bytes)
            #expect(replayed.arrivals.map(\.realTime) == [5_000_000_000, 6_000_000_000])
            #expect(replayed.error == nil)
        }

        /// The seconds of pcap are without sign, and end in 2106; an offset of pcapng has one.
        @Test(arguments: [true, false])
        func onlyAPcapngFileHasTimesBefore1970(bigEndian: Bool) throws {
            let text = CaptureText(bigEndian: bigEndian)
            var old = text.header(linkType: 1)
            for seconds in [0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as [UInt32] {
                old += text.record(synFrame(to: 22), seconds: seconds)
            }
            let seconds = try replay(old).arrivals.map { $0.realTime / 1_000_000_000 }
            #expect(seconds == [0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
            for (offset, expected) in [
                (-1, 500_000_000), (-2, -500_000_000), (-101, -99_500_000_000),
                (Int64(Int32.min), -2_147_483_646_500_000_000), (-(1 << 62), .min), (1 << 62, .max),
            ] as [(Int64, Int64)] {
                var new = text.sectionHeader() + text.interface(linkType: 1, offset: offset)
                new += text.packet(synFrame(to: 22), time: 1_500_000)
                #expect(try replay(new).arrivals.map(\.realTime) == [expected], "offset \(offset)")
            }
        }

        @Test func aFileThatIsCutOffGivesWhatIsBeforeAndThePlace() throws {
            let text = CaptureText()
            let first = text.header(linkType: 1) + text.record(synFrame(to: 22), seconds: 1)
            let second = text.record(synFrame(to: 23), seconds: 2)
            for count in 1..<second.count {
                let replayed = try replay(first + second.prefix(count))
                #expect(replayed.ports == [22])
                let error = try #require(replayed.error)
                #expect(error.hasPrefix("FILE: read at byte \(first.count): truncated dump file"))
            }
            #expect(try replay(first + second).error == nil)
        }

        @Test func aHeaderThatIsCutOffOrNoneIsAnErrorAtByte0() throws {
            let header = CaptureText().header(linkType: 1)
            for count in 0..<header.count {
                let error = try #require(replay(Array(header.prefix(count))).error)
                #expect(error.hasPrefix("FILE: read at byte 0: "))
            }
            #expect(try replay(header).error == nil)
            let error = try #require(replay([UInt8](repeating: 0x41, count: 100)).error)
            #expect(error == "FILE: read at byte 0: unknown file format")
        }

        @Test func aRecordOfAnImpossibleLengthEndsTheReplay() throws {
            let text = CaptureText()
            var bytes = text.header(linkType: 1) + text.record(synFrame(to: 22), seconds: 1)
            let position = bytes.count
            bytes += text.word(2) + text.word(0) + text.word(0x7fff_ffff) + text.word(0x7fff_ffff) + synFrame(to: 23)
            let replayed = try replay(bytes)
            #expect(replayed.ports == [22])
            #expect(try #require(replayed.error).hasPrefix("FILE: read at byte \(position): "))
        }

        @Test func aLinkTypeThatIsNotKnownIsNamed() throws {
            #expect(
                try replay(CaptureText().header(linkType: 127)).error
                    == "FILE: read frames of link type: IEEE802_11_RADIO")
            #expect(
                try replay(CaptureText().header(linkType: 9999)).error
                    == "FILE: read link type: not known: number 9999")
        }

        @Test func timeThatGoesBackwardsEndsNothing() throws {
            let text = CaptureText()
            var bytes = text.header(linkType: 1)
            for index in 0..<100 {
                bytes += text.record(synFrame(to: UInt8(index)), seconds: UInt32(index % 3 == 0 ? 5000 : 10))
            }
            let replayed = try replay(bytes)
            #expect(replayed.ports.count == 100)
            #expect(replayed.error == nil)
        }

        @Test func timesBeyondAnyCalendarAreTaken() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader() + text.interface(linkType: 1, digits: 0)
            for time in [0, .max, 1, UInt64(Int64.max), 1 << 63, 5] as [UInt64] {
                for port in 20..<40 as Range<UInt8> { bytes += text.packet(synFrame(to: port), time: time) }
            }
            #expect(try replay(bytes).ports.count == 120)
        }

        @Test func packetsThatAreNoSegmentAreCounted() throws {
            let text = CaptureText()
            var bytes = text.header(linkType: 1)
            bytes += text.record(synFrame(to: 22, etherType: [8, 6]), seconds: 1)
            bytes += text.record(Array(synFrame(to: 22).prefix(40)), seconds: 1)
            bytes += text.record([], seconds: 1)
            let replayed = try replay(bytes)
            #expect(replayed.faults == [.otherProtocol, .truncated, .truncated])
            #expect(replayed.error == nil)
        }

        @Test func aFileThatCanNotBeOpenedIsAnErrorOfTheSystem() {
            #expect(replay(path: "/nonexistent/file").error == "/nonexistent/file: open: No such file or directory")
            #expect(
                replay(path: "/tmp").error
                    == "/tmp: read at byte 0: error reading dump file: Is a directory")
        }

        @Test func aPipeIsReadAsAFileIs() throws {
            let text = CaptureText()
            let whole = text.header(linkType: 1) + text.record(synFrame(to: 22), seconds: 1)
            let replayed = replay(try TestFile(pipeWith: whole + [1, 2, 3]))
            #expect(replayed.ports == [22])
            #expect(try #require(replayed.error).hasPrefix("FILE: read at byte \(whole.count): truncated dump file"))
        }
    }
#endif
