#if Connections
    import Capture
    import ScanCore
    import System

    /// The output of lines about attempts: they are buffered in memory, and written whole or not at all.
    @safe struct LineOutput: ~Copyable {
        /// Counters of lines since the start.
        struct Counters {
            var written: UInt64 = 0
            /// Lines that could not be written.
            var lost: UInt64 = 0
        }

        /// The result of writing the buffered lines.
        enum Progress {
            case done
            /// The reader is slow: wait until there is room for more.
            case mustWait
            /// The reader has gone.
            case closed
            /// Lines are lost, which is to be reported.
            case failed(SystemError)
            /// Everything could be written again, which is to be reported, with the number of lines lost since the last
            /// report.
            case recovered(lost: UInt64)
        }

        /// The descriptor for poll(2).
        var descriptor: Int32 {
            switch file {
            case .some(let file): file.number
            case .none: StandardStream.output
            }
        }

        private(set) var counters = Counters()

        private let name: CString
        private var file: Descriptor?
        /// Whether it is a pipe, a terminal or the like, which has a reader.
        private let isStream: Bool

        private let buffer: UnsafeMutableBufferPointer<UInt8>
        private var used = 0
        /// How many bytes at the beginning of the buffer are the rest of a partly written line of a file, whose
        /// beginning could not be truncated.
        private var rest = 0

        /// How many lost lines were not reported yet.
        private var unreported: UInt64 = 0
        /// Why lines are lost, if they are.
        private var failure: SystemError?
        /// Whether the loss of lines was reported, and not yet its end.
        private var isFailureReported = false
        /// Until when no other failure is reported, so that a disk that is nearly full does not flood the log.
        private var reportAllowedAt: Timestamp?
        private static var quietTime: Int64 { 60_000_000_000 }

        /// How many bytes are buffered before they have to be written.
        private static var size: Int { 65_536 }
        /// How many bytes fit in the buffer: one packet, the last of many fragments crafted for it, can reveal
        /// thousands of attempts. The memory beyond the size is not touched before it is needed.
        private static var capacity: Int { 1 << 20 }

        /// Writes to a file, or to standard output.
        init(_ file: borrowing AppendFile?) throws(SystemError) {
            let name: CString
            let opened: Descriptor?
            switch file {
            case .some(let file):
                name = file.path
                opened = try file.open()
                isStream = false
            case .none:
                name = "standard output"
                opened = nil
                // Otherwise the error would appear with the first line only, which may be long in coming.
                if !FileWriting.isPossible(to: StandardStream.output) {
                    throw SystemError(name, "write", code: Errno.badFileDescriptor)
                }
                isStream = try !fileStatus(of: StandardStream.output, name).isRegularFile
            }
            self.file = opened
            self.name = name
            unsafe buffer = .allocate(capacity: LineOutput.capacity)
        }

        deinit {
            unsafe buffer.deallocate()
        }

        /// Whether lines have to be written before there is room for the attempts of another packet.
        var isFull: Bool { used + EventText.capacity > LineOutput.size }

        /// Whether not even one more line fits.
        var isExhausted: Bool { used + EventText.capacity > LineOutput.capacity }

        /// Whether no lines wait.
        var isEmpty: Bool { used == rest }

        /// Appends a line, which ends in a line feed. If it does not fit, it is lost.
        mutating func append(_ line: LogLine) {
            append(line.bytes.span.extracting(0..<line.count))
        }

        /// The same for a line as bytes, of which there are at most ``EventText/capacity``.
        mutating func append(_ line: Span<UInt8>) {
            if used + line.count > LineOutput.capacity {
                counters.lost += 1
                unreported += 1
                return
            }
            unsafe line.withUnsafeBufferPointer { line in
                guard let start = line.baseAddress, let place = unsafe buffer.baseAddress else { return }
                unsafe (place + used).update(from: start, count: line.count)
            }
            used += line.count
        }

        /// Continues in another file, which has replaced the old one at the same path. Nothing is lost or written
        /// twice, except for the rest of a partly written line, which does not belong there.
        mutating func replace(by other: consuming Descriptor) {
            if rest > 0 && !isSameFile(other.number) {
                lose(0..<rest)
                remove(rest)
            }
            file = consume other
        }

        /// Whether the same file has been reopened.
        private func isSameFile(_ other: Int32) -> Bool { FileWriting.isSameFile(descriptor, other) }

        /// Discards the buffered lines.
        mutating func abandon() {
            counters.lost += lines(in: 0..<used)
            used = 0
            rest = 0
        }

        /// Writes the buffered lines, and never blocks.
        mutating func flush() -> Progress {
            if used == 0 { return nextReport() }
            return isStream ? flushStream() : flushFile()
        }

        /// When ``flush()`` is next due to report lost lines; `nil`: never.
        var reportDue: Timestamp? { unreported > 0 && !isFailureReported ? reportAllowedAt : nil }

        /// The pending report about lost lines.
        private mutating func nextReport() -> Progress {
            if unreported == 0 { return .done }
            if !isFailureReported, let reportAllowedAt, Timestamp.now() < reportAllowedAt { return .done }
            if let failure {
                if isFailureReported { return .done }
                isFailureReported = true
                reportAllowedAt = .fromNow(Self.quietTime)
                return .failed(failure)
            }
            isFailureReported = false
            let lost = unreported
            unreported = 0
            return .recovered(lost: lost)
        }

        /// A pipe that poll(2) reports as writable takes this many bytes without blocking (pipe(7)).
        private static var pieceSize: Int { 4096 }

        private mutating func flushStream() -> Progress {
            while used > 0 {
                switch FileWriting.room(in: descriptor) {
                case .none: return .mustWait
                case .closed: return .closed
                case .some: break
                }
                // A terminal has room for one byte, and blocks for more; so may a pipe that another process writes to.
                let written = write(0..<beginning(), FileWriting.writeImpatiently)
                if written <= 0 {
                    let code = Errno.last
                    if code == Errno.wouldBlock || code == Errno.interrupted { return .mustWait }
                    if code == Errno.brokenPipe { return .closed }
                    return fail(SystemError(name, "write", code: code))
                }
                counters.written += lines(in: 0..<written)
                remove(written)
            }
            failure = nil
            return nextReport()
        }

        /// The end of the whole lines that may be written without blocking. Part of the first may already be on a
        /// terminal.
        private func beginning() -> Int {
            used <= LineOutput.pieceSize ? used : endOfLines(before: LineOutput.pieceSize)
        }

        private mutating func flushFile() -> Progress {
            var done = 0
            while done < used {
                let written = write(done..<used, FileWriting.write)
                if written > 0 {
                    done += written
                    continue
                }
                let error = SystemError(name, "write")
                if error.code == Errno.interrupted { continue }
                endPartialWrite(done)
                return fail(error)
            }
            counters.written += lines(in: 0..<used)
            used = 0
            rest = 0
            failure = nil
            return nextReport()
        }

        /// Keeps a partly written line from staying in the file for good.
        private mutating func endPartialWrite(_ done: Int) {
            counters.written += lines(in: 0..<done)
            let whole = endOfLines(before: done)
            if done >= rest && takeBack(done - whole) { return remove(whole) }
            remove(done)
            if rest == 0 { rest = endOfLine }
        }

        /// Truncates the beginning of a partly written line from the end of the file.
        ///
        /// - Returns: whether that is possible: it is not for an append-only file.
        private func takeBack(_ count: Int) -> Bool {
            count == 0 || FileWriting.takeBack(count, of: descriptor)
        }

        /// Writes bytes of the buffer with one of the two calls.
        private func write(_ range: Range<Int>, _ call: (RawSpan, Int32) -> Int) -> Int {
            call(unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[range]).bytes, descriptor)
        }

        /// Drops the buffered lines, except for the rest of a partly written one.
        private mutating func fail(_ error: SystemError) -> Progress {
            lose(rest..<used)
            used = rest
            failure = error
            return nextReport()
        }

        private mutating func lose(_ range: Range<Int>) {
            let count = lines(in: range)
            counters.lost += count
            unreported += count
        }

        private mutating func remove(_ count: Int) {
            for index in count..<used { unsafe buffer[index - count] = buffer[index] }
            used -= count
            rest = max(rest - count, 0)
        }

        private var endOfLine: Int {
            var end = 0
            while unsafe end < used && buffer[end] != UInt8(ascii: "\n") { end += 1 }
            return min(end + 1, used)
        }

        private func endOfLines(before end: Int) -> Int {
            var end = end
            while unsafe end > 0 && buffer[end - 1] != UInt8(ascii: "\n") { end -= 1 }
            return end
        }

        private func lines(in range: Range<Int>) -> UInt64 {
            var count: UInt64 = 0
            for index in range where unsafe buffer[index] == UInt8(ascii: "\n") { count += 1 }
            return count
        }
    }
#endif
