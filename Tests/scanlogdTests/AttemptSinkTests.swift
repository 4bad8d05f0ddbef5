#if Connections
    import CLinux
    import Capture
    import ScanCore
    import System
    import Testing

    @testable import scanlogd

    extension OptionTests {
        /// The sink never waits: it says that it is full, and loses nothing that a packet may still make known.
        struct AttemptSinkTests {
            /// A sink with its output in a file without a name, and the other end of its way to the broker.
            private struct Scene: ~Copyable {
                var sink: AttemptSink
                let broker: MessageChannel
                private let path: CString

                init(_ options: String...) throws {
                    var template = Array("/tmp/scanlogd-test-XXXXXX".utf8CString)
                    let file = Descriptor(owning: unsafe mkstemp(&template))
                    try #require(file.number >= 0)
                    let path = unsafe CString(unsafe: strdup(template))
                    let words = ["connections", "-o", "unused"] + options
                    let read = try unsafe withArguments(words) { try unsafe ConnectionsOptions($0, $1) }
                    let options = try #require(read)
                    let ends = try makeSockets("test")
                    let diagnostics = AttemptDiagnostics(
                        broker: OutputBroker(MessageChannel(owning: ends[0], peer: "broker")),
                        directSyslog: DirectSyslog())  // as in the background: nothing goes to standard error
                    let sink = AttemptSink(
                        options, try LineOutput(try AppendFile(path)), diagnostics, nil,
                        try ZeroedPages<Parameters.Copies>(key: try HashKey.random()), run: 0x0123_abcd)
                    self.sink = sink
                    broker = MessageChannel(owning: ends[1], peer: "test")
                    self.path = path
                }

                deinit { unsafe unlink(path.pointer) }

                mutating func receive(_ count: Int, flags: TCPFlags = .syn, at second: Int64 = 1) {
                    for _ in 0..<count {
                        let probe = Probe(
                            source: Address(ipv4: 0x0a00_0001), destination: Address(ipv4: 0x0a00_0002),
                            sourcePort: 40_000,
                            destinationPort: 22, transport: .tcp(flags), typeOfService: 0, timeToLive: 64)
                        let now = Timestamp(nanoseconds: second * 1_000_000_000)
                        sink.receive(probe, at: now, realTime: now.nanoseconds)
                    }
                }

                /// The lines that are written.
                func lines() throws -> [String] {
                    let file = Descriptor(owning: unsafe clinux_open(path.pointer, O_RDONLY, 0))
                    var text: [UInt8] = []
                    var buffer = [UInt8](repeating: 0, count: 65_536)
                    while true {
                        let count = unsafe read(file.number, &buffer, buffer.count)
                        if count <= 0 { break }
                        text += buffer.prefix(count)
                    }
                    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
                }
            }

            @Test func anAttemptIsALineAndOtherSegmentsAreNot() throws {
                var scene = try Scene("--date", "epoch")
                scene.receive(1)
                scene.receive(1, flags: .syn.union(.ack))
                scene.receive(1, flags: .ack)
                let isWritten = scene.sink.flush()
                #expect(isWritten)
                #expect(try scene.lines() == ["1.000000|10.0.0.1|40000|10.0.0.2|22"])
            }

            @Test func aFullOutputIsReportedAndTakesWhatAPacketStillMakesKnown() throws {
                var scene = try Scene("--limit", "off")
                var count = 0
                while !scene.sink.isFull {
                    scene.receive(1)
                    count += 1
                }
                #expect(count > 500)
                #expect(try scene.lines() == [], "nothing is written before it is asked to be")
                scene.receive(1_000)
                #expect(scene.sink.isFull == true)
                let isWritten = scene.sink.flush()
                #expect(isWritten)
                #expect(scene.sink.isFull == false)
                #expect(try scene.lines().count == count + 1_000)
                #expect(scene.sink.output.counters.lost == 0)
            }

            @Test func aFileLosesNothingWhateverOnePacketMakesKnown() throws {
                var scene = try Scene("--limit", "off")
                scene.receive(50_000)
                #expect(try scene.lines().count > 0, "what there is no room for is written at once")
                let isWritten = scene.sink.flush()
                #expect(isWritten)
                let counters = scene.sink.output.counters
                #expect(counters.lost == 0 && counters.written == 50_000)
                #expect(try scene.lines().count == 50_000)
            }

            @Test func whereLinesMayBeLostItIsNeverFull() throws {
                var scene = try Scene("--limit", "off")
                scene.receive(2_000)
                #expect(scene.sink.isFull == true)
                scene.sink.losesLines = true
                #expect(scene.sink.isFull == false)
            }

            @Test func theLimitSuppressesLinesAndTheLogIsToldOfThem() throws {
                var scene = try Scene("--limit", "10")
                scene.receive(15)
                let isWritten = scene.sink.flush()
                #expect(isWritten)
                #expect(try scene.lines().count == 10)
                #expect(scene.sink.rate.suppressed == 5)
                scene.sink.reportSuppressed(at: Timestamp(nanoseconds: 2_000_000_000), atExit: true)
                var message = Message(.ready)
                let received = try scene.broker.receive(&message)
                #expect(received == .message)
                #expect(message.kind == .line)
                #expect(message.text.text == "connections: 5 lines suppressed in 1 s")
            }

            @Test func afterEnoughLinesNoMoreAreMade() throws {
                var scene = try Scene("-c", "3")
                scene.receive(2)
                #expect(scene.sink.isOver == false)
                scene.receive(2)
                #expect(scene.sink.isOver == true)
                let isWritten = scene.sink.flush()
                #expect(isWritten)
                #expect(try scene.lines().count == 3)
            }
        }
    }
#endif
