#if Pcap
    import CLinux
    import ScanCore
    import System
    import Testing

    @testable import Capture

    /// A file is read as far as it is there: wherever that ends, nothing is lost, nothing is read twice, nobody waits.
    struct FileStepsTests {
        private static let text = CaptureText()

        /// A file of three packets, to ports 1 to 3.
        enum Kind {
            case pcap
            case pcapng
            case pcapngOfBigEndian

            var bytes: [UInt8] {
                switch self {
                case .pcap: FileStepsTests.pcap
                case .pcapng: FileStepsTests.pcapng(bigEndian: false)
                case .pcapngOfBigEndian: FileStepsTests.pcapng(bigEndian: true)
                }
            }
        }

        private static var pcap: [UInt8] {
            var bytes = text.header(linkType: 1)
            for port in 1...3 { bytes += text.record(synFrame(to: UInt8(port)), seconds: UInt32(port)) }
            return bytes
        }

        private static func pcapng(bigEndian: Bool) -> [UInt8] {
            let text = CaptureText(bigEndian: bigEndian)
            var bytes = text.sectionHeader() + text.block(77, [UInt8](repeating: 7, count: 100))
            bytes +=
                text.interface(linkType: 12, digits: 9, offset: 0) + text.interface(linkType: 1, digits: 9, offset: 1)
            for port in 1...3 {
                bytes += text.packet(synFrame(to: UInt8(port)), time: UInt64(port), interface: 1)
                bytes += text.interface(linkType: 101)
            }
            return bytes
        }

        /// What comes of bytes that arrive one by one, and how often more had to be waited for.
        private func readOneByOne(_ bytes: [UInt8]) throws -> (Replayed, waits: Int) {
            // One that blocks: tests that fork run beside this one, and until the exec of a child its copy of the other
            // end is open too, so that there would be no end of the file, and nothing to read either.
            var ends: [Int32] = [-1, -1]
            #expect(unsafe pipe2(&ends, O_CLOEXEC) == 0)
            let output = ends[1]
            let library = try PcapLibrary()
            var file = PcapFile(
                library, "FILE", try PcapStream(owning: ends[0], "FILE"), of: -1,
                try PcapFrameReader(CaptureOptions(), key: .forTests), nil)
            var recorder = Recorder()
            var (next, waits) = (0, 0)
            var error: String?
            do throws(SystemError) {
                reading: while true {
                    switch try file.advance() {
                    case .packet: try file.deliver(into: &recorder)
                    case .end: break reading
                    case .mustWait:
                        waits += 1
                        if next < bytes.count {
                            var byte = bytes[next]
                            #expect(unsafe write(output, &byte, 1) == 1)
                        } else if next == bytes.count {
                            close(output)
                        }
                        next += 1
                        file.readMore()
                    }
                }
            } catch let thrown {
                error = thrown.line.text
            }
            if next <= bytes.count { close(output) }
            return (
                Replayed(arrivals: recorder.arrivals, faults: recorder.faults, lines: recorder.lines, error: error),
                waits
            )
        }

        @Test(arguments: [Kind.pcap, .pcapng, .pcapngOfBigEndian])
        func aFileThatComesByteByByteIsTheSame(kind: Kind) throws {
            let bytes = kind.bytes
            let (replayed, waits) = try readOneByOne(bytes)
            let whole = try replay(bytes)
            #expect(waits == bytes.count + 1)
            #expect(replayed.error == nil && whole.error == nil)
            #expect(replayed.ports == [1, 2, 3])
            #expect(replayed.arrivals.map(\.realTime) == whole.arrivals.map(\.realTime))
        }

        @Test(arguments: [Kind.pcap, .pcapng])
        func aFileThatEndsAnywhereEndsInTheSameError(kind: Kind) throws {
            let bytes = kind.bytes
            for count in 0..<bytes.count {
                let (replayed, _) = try readOneByOne(Array(bytes[..<count]))
                let whole = try replay(Array(bytes[..<count]))
                #expect(replayed.error == whole.error, "of \(count) bytes")
                #expect(replayed.ports == whole.ports, "of \(count) bytes")
            }
        }

        /// A block may say that it has up to 4 GiB: what is of no use is not kept.
        @Test func aBlockLongerThanWhatIsKeptIsPassedOver() throws {
            let text = Self.text
            var bytes = text.sectionHeader() + text.interface(linkType: 1)
            bytes += text.block(77, [UInt8](repeating: 1, count: 2_000_000))
            bytes += text.block(1, text.half(101) + text.half(0) + text.word(0) + options(of: 1_000_000))
            bytes += text.packet(synFrame(to: 22), time: 1)
            let replayed = try replay(bytes)
            #expect(replayed.error == nil)
            #expect(replayed.ports == [22])
        }

        private func options(of size: Int) -> [UInt8] {
            let option = Self.text.half(1) + Self.text.half(60_000) + [UInt8](repeating: 65, count: 60_000)
            return [[UInt8]](repeating: option, count: size / option.count).flatMap { $0 }
        }
    }
#endif
