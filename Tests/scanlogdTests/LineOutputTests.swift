#if Pcap
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
            while output.hasRoom {
                output.append(line(String(repeating: "x", count: 99)))
                lines += 1
            }
            #expect(lines > 600)
            output.abandon()
            #expect(output.isEmpty && output.hasRoom)
            #expect(output.counters.lost == UInt64(lines))
            #expect(try place.text() == "")
        }

        @Test func aFileAtItsLimitLosesWholeLinesAndSaysSoOnce() throws {
            let place = try Place()
            let limited = fork()  // the limit is the process's
            if limited == 0 { _exit(Self.fillToTheLimit(place.file)) }
            var status: Int32 = 0
            #expect(unsafe waitpid(limited, &status, 0) == limited)
            #expect(clinux_exit_status(status) == 0 && clinux_ending_signal(status) == 0)
            #expect(try place.text() == "12345678\n")
        }

        /// - Returns: 0 if all is as it should be, else the number of what is not.
        private static func fillToTheLimit(_ path: CString) -> Int32 {
            var limit = rlimit(rlim_cur: 12, rlim_max: 12)
            var none = sigset_t()
            unsafe sigemptyset(&none)
            unsafe sigaddset(&none, SIGXFSZ)
            unsafe sigprocmask(SIG_BLOCK, &none, nil)
            do throws(SystemError) {
                var output = try LineOutput(try AppendFile(path))
                unsafe setrlimit(RLIMIT_FSIZE, &limit)
                var line = LogLine("12345678")
                line.append("\n")
                output.append(line)
                output.append(line)
                guard case .failed = output.flush() else { return 1 }
                if output.counters.written != 1 || output.counters.lost != 1 { return 2 }
                output.append(line)
                guard case .done = output.flush() else { return 3 }
                return output.counters.lost == 2 ? 0 : 4
            } catch {
                return 5
            }
        }
    }
#endif
