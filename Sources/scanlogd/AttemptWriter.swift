#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// Where packets become lines about attempts, and what can happen to a line on its way out.
    struct AttemptWriter: ~Copyable, SegmentSink {
        /// What somebody wants, which is looked at between packets, and while a line has to wait.
        private(set) var mustStop = false

        let signals: Signals
        private(set) var output: AttemptOutput
        private(set) var keeper: Keeper
        private var rate: LineRate

        private let options: ConnectionsOptions
        private let background: Bool
        /// When the last line came up, on the clock of the packets.
        private(set) var lastTime = Timestamp(nanoseconds: 0)
        /// Packets that were looked at, whatever they were.
        private var packets: UInt64 = 0
        /// How many lines may still be written; `nil`: any number.
        private var remaining: UInt64?
        /// How many packets the kernel dropped, as it said last.
        var dropped: UInt64 = 0
        /// The capture file's descriptor, if there is one.
        var input: Int32 = -1

        /// The text of the second that the last line is of.
        private var date = LogLine()
        private var dateSecond: Int64?

        init(
            _ options: ConnectionsOptions, _ signals: consuming Signals, _ output: consuming AttemptOutput,
            _ keeper: consuming Keeper
        ) {
            self.options = options
            self.signals = signals
            self.output = output
            self.keeper = keeper
            rate = LineRate(limit: options.limit)
            background = options.background
            remaining = options.count
        }

        // MARK: Packets

        mutating func take(
            packet: Span<UInt8>, at now: Timestamp, realTime: Int64
        ) throws(PacketFault) -> Bool {
            packets &+= 1
            if options.selection.interest != .everything { return false }
            add(try Attempt(packet: packet, realTime: realTime), at: now)
            return true
        }

        mutating func take(_ segment: Segment, at now: Timestamp, realTime: Int64) {
            if let attempt = Attempt(segment, realTime: realTime) { add(attempt, at: now) }
        }

        /// What gives no segment is no attempt.
        mutating func take(_ fault: PacketFault) {}

        mutating func take(_ notice: LogLine) {
            note(notice, level: LOG_NOTICE)
        }

        @inline(never)
        private mutating func add(_ attempt: Attempt, at now: Timestamp) {
            lastTime = now
            if isOver || !rate.admit(at: now) { return }
            if let left = remaining { remaining = left - 1 }
            write(attempt)
        }

        // MARK: Lines

        private mutating func write(_ attempt: Attempt) {
            var line = LogLine(attempt, date: date(of: attempt.realTime))
            line.append("\n")
            if !output.hasRoom { makeSureAllIsWritten() }
            if output.hasRoom { output.append(line) }
        }

        private mutating func date(of realTime: Int64) -> LogLine {
            if options.dateFormat == .epoch {
                var line = LogLine()
                line.append(epoch: realTime)
                return line
            }
            let second = realTime / 1_000_000_000
            if dateSecond != second {
                dateSecond = second
                date = LogLine()
                date.append(CalendarTime(local: second))
            }
            return date
        }

        /// Writes what has gathered, for a reader who may be slow. What can't be written when we are told to stop is lost.
        @inline(never)
        private mutating func makeSureAllIsWritten() {
            while !flush() {
                if mustStop || isClosed { return output.abandon() }
                waitForReader()
            }
        }

        /// Waits for more of a capture file, and does meanwhile what there is to do.
        ///
        /// - Returns: whether more is wanted.
        @inline(never)
        mutating func waitForInput() -> Bool {
            while !isOver {
                let isWritten = flush()
                var waiting = PollSet()
                waiting.watch(0, signals.number)
                waiting.watch(1, output.descriptor, for: isWritten ? 0 : POLLOUT)
                waiting.watch(2, keeper.descriptor)
                waiting.watch(3, input)
                do throws(SystemError) {
                    try waiting.wait(timeout: -1)
                } catch {
                    fail(error)
                    return false
                }
                if waiting.happened(0) { obeySignals() }
                if waiting.happened(2) { obeyKeeper() }
                if waiting.isBroken(1) { noteClosed() }
                if waiting.happened(3) && !isOver { return true }
            }
            return false
        }

        @inline(never)
        private mutating func waitForReader() {
            var waiting = PollSet()
            waiting.watch(0, signals.number)
            waiting.watch(1, output.descriptor, for: POLLOUT)
            do throws(SystemError) {
                try waiting.wait(timeout: -1)
            } catch {
                fail(error)
                mustStop = true
            }
            obeySignals()
        }

        /// Writes what has gathered, without waiting, and says whether all is written.
        @discardableResult
        @inline(never)
        mutating func flush() -> Bool {
            switch output.flush() {
            case .done: return true
            case .mustWait: return false
            case .closed:
                isClosed = true
                return false
            case .failed(let error):
                var line = LogLine("connections: ")
                line.append(error.line)
                line.append("; lines are lost until it can be written again")
                note(line, level: LOG_WARNING)
            case .recovered(let lost):
                var line = LogLine("connections: written again, lines lost: ")
                line.append(decimal: lost)
                note(line, level: LOG_NOTICE)
            }
            return true
        }

        /// Whether there is nobody any more who reads the lines.
        private(set) var isClosed = false

        /// Whether something failed that can't be gone on after.
        private var hasFailed = false

        /// Whether no line is to be written any more.
        var isOver: Bool { mustStop || isClosed || remaining == 0 }

        // MARK: The end

        /// Takes note that nobody reads the lines any more.
        mutating func noteClosed() {
            isClosed = true
        }

        /// Says why it can't go on.
        @inline(never)
        mutating func fail(_ error: SystemError) {
            if options.captureFile != nil { complain(error.line) } else { note(error.line, level: LOG_ERR) }
            hasFailed = true
        }

        /// Writes what is left and says what there was, where packets came from a network.
        ///
        /// - Returns: the exit status.
        @inline(never)
        mutating func finish(at now: Timestamp) -> Int32 {
            tellSuppressed(at: now, atExit: true)
            makeSureAllIsWritten()
            if options.captureFile == nil { tellCounters() }
            return hasFailed || output.counters.lost > 0 && !isClosed ? 1 : 0
        }

        // MARK: Words

        /// Does what signals ask for.
        @inline(never)
        mutating func obeySignals() {
            while let request = signals.next() {
                switch request {
                case .stop: mustStop = true
                case .logStatus: tellCounters()
                case .reload: if options.outputFile != nil { keeper.reopen() }
                case .runTestHook: runTestHook()
                case .collectChild: break
                }
            }
        }

        /// Goes on in the file that the keeper has opened.
        @inline(never)
        mutating func obeyKeeper() {
            while true {
                switch keeper.answer() {
                case .nothing: return
                case .file(let file):
                    flush()
                    output.replace(by: file)
                case .failure(let line):
                    note(line, level: LOG_WARNING)
                case .gone:
                    return complain(LogLine("connections: keeper of the log: ended"))
                }
            }
        }

        /// Says what an administrator should know, here and in the log.
        @inline(never)
        func note(_ line: LogLine, level: Int32) {
            if !background { complain(line) }
            keeper.log(line, level: level)
        }

        /// Says how many lines were suppressed, if it is time to.
        @inline(never)
        mutating func tellSuppressed(at now: Timestamp, atExit: Bool = false) {
            if let line = rate.note(at: now, atExit: atExit) { note(line, level: LOG_WARNING) }
        }

        /// When something is to be said.
        var noteDue: Timestamp? { rate.noteDue }

        /// Says what was seen and done, as tcpdump does.
        @inline(never)
        mutating func tellCounters() {
            tell(output.counters.written, "lines written")
            tell(rate.suppressed, "lines suppressed")
            tell(output.counters.lost, "lines lost")
            tell(packets, "packets captured")
            if options.captureFile != nil { return }
            tell(packets + dropped, "packets received by filter")
            tell(dropped, "packets dropped by kernel")
        }

        @inline(never)
        private func tell(_ count: UInt64, _ what: String) {
            var line = LogLine(background ? "connections: " : "")
            line.append(decimal: count)
            line.append(" ")
            line.append(what)
            if background { keeper.log(line, level: LOG_INFO) } else { printError(line) }
        }
    }

    /// Where the writer is as long as the process lives: in memory of its own, for it is large to be moved about.
    ///
    /// Safe: it is made once, nobody ever frees it, and nobody but the command that it was made by, which does one thing at
    /// a time, uses it.
    @safe struct AttemptWriterPlace {
        private let pointer: UnsafeMutablePointer<AttemptWriter>

        init(_ writer: consuming AttemptWriter) {
            unsafe pointer = .allocate(capacity: 1)
            unsafe pointer.initialize(to: writer)
        }

        /// For a callback of C.
        var address: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

        var writer: AttemptWriter {
            _read { yield unsafe pointer.pointee }
            nonmutating _modify { yield unsafe &pointer.pointee }
        }
    }
#endif
