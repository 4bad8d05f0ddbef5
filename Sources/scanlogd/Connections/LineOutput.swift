#if Connections
    import Capture
    import ScanCore
    import System

    /// Where lines about attempts go: they gather in memory, and are written whole or not at all.
    @safe struct LineOutput: ~Copyable {
        /// What became of the lines since the start.
        struct Counters {
            var written: UInt64 = 0
            /// Lines that could not be written.
            var lost: UInt64 = 0
        }

        /// How far the lines that gathered could be written.
        enum Progress {
            case done
            /// Whoever reads is slow: wait until there is room for more.
            case mustWait
            /// There is nobody who reads.
            case closed
            /// Lines are lost, which is to be said.
            case failed(SystemError)
            /// All was written again, which is to be said, after so many lines were lost since this was last told.
            case recovered(lost: UInt64)
        }

        /// What poll(2) is asked about.
        var descriptor: Int32 {
            switch file {
            case .some(let file): file.number
            case .none: StandardStream.output
            }
        }

        private(set) var counters = Counters()

        private let name: CString
        private var file: Descriptor?
        /// Whether it is a pipe, a terminal or the like, which somebody has to read.
        private let isStream: Bool

        private let buffer: UnsafeMutableBufferPointer<UInt8>
        private var used = 0
        /// How many bytes at the beginning are the rest of a line of a file, whose own beginning could not be taken back.
        private var rest = 0

        /// How many were lost that nobody was told the number of.
        private var unreported: UInt64 = 0
        /// Why lines are lost, if they are.
        private var failure: SystemError?
        /// Whether it was said that lines are lost, and not yet that they no longer are.
        private var isFailureReported = false
        /// Until when nothing is said of another failure, so that a disk on the edge does not fill the log.
        private var reportAllowedAt: Timestamp?
        private static var quietTime: Int64 { 60_000_000_000 }

        /// How many bytes gather before they have to be written.
        private static var size: Int { 65_536 }
        /// How many bytes there is room for: one packet, the last of many fragments that were made for it, can make
        /// thousands of attempts known. The memory behind the size is not touched before it is needed.
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
                // Else nobody would be told before the first line, which may be long in coming.
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

        /// Whether lines have to be written before there is room for what another packet may make known.
        var isFull: Bool { used + LogLine.capacity > LineOutput.size }

        /// Whether there is no room for another line at all, whatever one packet made known.
        var isExhausted: Bool { used + LogLine.capacity > LineOutput.capacity }

        /// Whether no lines wait.
        var isEmpty: Bool { used == rest }

        /// Adds a line, which ends in a line feed. Where there is no room it is lost.
        mutating func append(_ line: LogLine) {
            if used + line.count > LineOutput.capacity {
                counters.lost += 1
                unreported += 1
                return
            }
            for index in 0..<line.count { unsafe buffer[used + index] = line.bytes[index] }
            used += line.count
        }

        /// Goes on in another file, whose place in the file system is the same. Nothing is lost or written twice, but for
        /// the rest of a line, which has no place there.
        mutating func replace(by other: consuming Descriptor) {
            if rest > 0 && !isSameFile(other.number) {
                lose(0..<rest)
                remove(rest)
            }
            file = consume other
        }

        /// Whether the file has only been opened anew.
        private func isSameFile(_ other: Int32) -> Bool { FileWriting.isSameFile(descriptor, other) }

        /// Gives up the lines that wait.
        mutating func abandon() {
            counters.lost += lines(in: 0..<used)
            used = 0
            rest = 0
        }

        /// Writes what has gathered, and never waits.
        mutating func flush() -> Progress {
            if used == 0 { return nextReport() }
            return isStream ? flushStream() : flushFile()
        }

        /// When there is news of lines that were lost, which ``flush()`` tells; `nil`: there is none.
        var reportDue: Timestamp? { unreported > 0 && !isFailureReported ? reportAllowedAt : nil }

        /// What is to be said of lines that were lost.
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

        /// A pipe that poll(2) says to be writable takes so many bytes at once (pipe(7)).
        private static var pieceSize: Int { 4096 }

        private mutating func flushStream() -> Progress {
            while used > 0 {
                switch FileWriting.room(in: descriptor) {
                case .none: return .mustWait
                case .closed: return .closed
                case .some: break
                }
                // A terminal has room for one byte, and makes us wait for more; so may whoever else writes to a pipe.
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

        /// As many whole lines as may be written without waiting. What a terminal took of one has gone before.
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

        /// Sees to it that half a line is not left for good of what could be written.
        private mutating func endPartialWrite(_ done: Int) {
            counters.written += lines(in: 0..<done)
            let whole = endOfLines(before: done)
            if done >= rest && takeBack(done - whole) { return remove(whole) }
            remove(done)
            if rest == 0 { rest = endOfLine }
        }

        /// Takes the beginning of a line off the end of the file, which could not be written further.
        ///
        /// - Returns: whether that is possible: of a file that can only be appended to it is not.
        private func takeBack(_ count: Int) -> Bool {
            count == 0 || FileWriting.takeBack(count, of: descriptor)
        }

        /// Writes bytes of the buffer by one of the two calls.
        private func write(_ range: Range<Int>, _ call: (RawSpan, Int32) -> Int) -> Int {
            call(unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[range]).bytes, descriptor)
        }

        /// Loses all that waits, but the rest of a line.
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
