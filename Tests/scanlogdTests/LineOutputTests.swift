#if Connections
    import CLinux
    import ScanCore
    import System
    import Testing

    @testable import scanlogd

    /// Lines are written whole or not at all, and each is counted as written or as lost.
    struct LineOutputTests {
        /// A file in a directory of its own, which goes with the test.
        private struct Place: ~Copyable {
            let folder: String
            let file: CString

            init() throws {
                var template = Array("/tmp/scanlogd-test-XXXXXX".utf8CString)
                try #require(unsafe mkdtemp(&template) != nil)
                folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                file = unsafe CString(unsafe: strdup("\(folder)/lines"))
            }

            deinit {
                unsafe unlink(file.pointer)
                unsafe rmdir(folder)
            }

            func text() throws -> String {
                let file = Descriptor(owning: unsafe clinux_open(self.file.pointer, O_RDONLY, 0))
                var buffer = [UInt8](repeating: 0, count: 200_000)
                let count = unsafe read(file.number, &buffer, buffer.count)
                return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
            }
        }

        private func line(_ text: String) -> LogLine {
            var line = LogLine()
            for byte in text.utf8 { line.append(byte: byte) }
            line.append("\n")
            return line
        }

        @Test func linesGatherAndAreWrittenInOrder() throws {
            let place = try Place()
            var output = try LineOutput(try AppendFile(place.file))
            for number in 0..<100 { output.append(line("line \(number)")) }
            #expect(try place.text() == "")
            guard case .done = output.flush() else {
                Issue.record("not written")
                return
            }
            #expect(output.isEmpty == true)
            #expect(output.counters.written == 100 && output.counters.lost == 0)
            #expect(try place.text() == (0..<100).map { "line \($0)\n" }.joined())
        }

        @Test func thereIsRoomUntilTheBufferIsFull() throws {
            let place = try Place()
            var output = try LineOutput(try AppendFile(place.file))
            var lines = 0
            while !output.isFull {
                output.append(line(String(repeating: "x", count: 99)))
                lines += 1
            }
            #expect(lines > 600)
            output.abandon()
            #expect(output.isEmpty && !output.isFull)
            #expect(output.counters.lost == UInt64(lines))
            #expect(try place.text() == "")
        }

        @Test func aFileAtItsLimitLosesWholeLinesAndSaysSoOnce() throws {
            let place = try Place()
            let status = try inChild { Self.fillToTheLimit(place.file) }
            #expect(status == 0)
            #expect(try place.text() == "12345678\n")
        }

        @Test func aDiskThatHasRoomAgainIsToldWithHowManyLinesItLost() throws {
            let place = try Place()
            let status = try inChild { Self.fillAndGoOn(place.file) }
            #expect(status == 0)
            #expect(try place.text() == "12345678\n12345678\n")
        }

        /// - Returns: 0 if all is as it should be, else the number of what is not.
        private static func fillAndGoOn(_ path: CString) -> Int32 {
            do throws(SystemError) {
                var output = try LineOutput(try AppendFile(path))
                limitFiles(to: 12)
                for _ in 0..<3 { output.append(eightDigits) }
                guard case .failed = output.flush() else { return 1 }
                if output.isEmpty == false || output.counters.lost != 2 { return 2 }
                limitFiles(to: 1000)
                output.append(eightDigits)
                guard case .recovered(lost: 2) = output.flush() else { return 3 }
                guard case .done = output.flush() else { return 4 }
                return output.counters.written == 2 && output.counters.lost == 2 ? 0 : 5
            } catch {
                return 6
            }
        }

        /// A pipe takes a few lines at a time, whose reader may come late, or go.
        @Test func aPipeGetsWholeLinesInOrderHoweverSlowlyItIsRead() throws {
            let status = try inChild(Self.writeToASlowReader)
            #expect(status == 0)
        }

        /// - Returns: 0 if all is as it should be, else the number of what is not.
        private static func writeToASlowReader() -> Int32 {
            do throws(SystemError) {
                let ends = try makePipe("test")
                let reader = Descriptor(owning: ends[0])
                if dup2(ends[1], 1) != 1 || close(ends[1]) != 0 || clinux_set_pipe_size(1, 4096) < 0 { return 1 }
                var output = try LineOutput(nil)
                var (sent, received): ([UInt8], [UInt8]) = ([], [])
                for number in 0..<200 {
                    var line = LogLine("some text that makes the line longer: ")
                    line.append(decimal: UInt32(number), width: 20)
                    line.append("\n")
                    output.append(line)
                    sent += (0..<line.count).map { line.bytes[$0] }
                }
                var waits = 0
                while case .mustWait = output.flush() {
                    waits += 1
                    received += bytes(in: reader, most: 100)  // a piece that ends within a line
                    if waits > 10_000 { return 2 }
                }
                received += bytes(in: reader, most: 100_000)
                if waits == 0 || received != sent { return 3 }
                if output.counters.written != 200 || output.counters.lost != 0 || !output.isEmpty { return 4 }
                return isClosed(reader, &output) ? 0 : 5
            } catch {
                return 6
            }
        }

        /// Whether it is found that nobody reads any more, and nothing is lost uncounted.
        private static func isClosed(_ reader: consuming Descriptor, _ output: inout LineOutput) -> Bool {
            do { _ = consume reader }
            output.append(eightDigits)
            guard case .closed = output.flush() else { return false }
            output.abandon()
            return output.counters.written == 200 && output.counters.lost == 1
        }

        private static func bytes(in reader: borrowing Descriptor, most: Int) -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: most)
            let count = unsafe read(reader.number, &buffer, most)
            return Array(buffer.prefix(max(count, 0)))
        }

        private static var eightDigits: LogLine {
            var line = LogLine("12345678")
            line.append("\n")
            return line
        }

        /// Limits how long files may become, and has write(2) fail beyond that.
        private static func limitFiles(to size: UInt) {
            var limit = rlimit(rlim_cur: size, rlim_max: .max)
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGXFSZ)
            unsafe sigprocmask(SIG_BLOCK, &signals, nil)
            unsafe setrlimit(RLIMIT_FSIZE, &limit)
        }

        /// - Returns: 0 if all is as it should be, else the number of what is not.
        private static func fillToTheLimit(_ path: CString) -> Int32 {
            do throws(SystemError) {
                var output = try LineOutput(try AppendFile(path))
                limitFiles(to: 12)
                output.append(eightDigits)
                output.append(eightDigits)
                guard case .failed = output.flush() else { return 1 }
                if output.counters.written != 1 || output.counters.lost != 1 { return 2 }
                output.append(eightDigits)
                guard case .done = output.flush() else { return 3 }
                return output.counters.lost == 2 ? 0 : 4
            } catch {
                return 5
            }
        }
    }
#endif
