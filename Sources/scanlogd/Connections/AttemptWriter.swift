#if Pcap
    import Capture
    import ScanCore
    import System

    /// Where packets become lines about attempts, and what can happen to a line on its way out.
    struct AttemptWriter: ~Copyable, ProbeSink {
        /// What somebody wants, which is looked at between packets, and while a line has to wait.
        private(set) var mustStop = false
        /// When somebody said to stop, of packets from a network: until when those that came before must be here, and until
        /// when their lines be written.
        private var rest: (handedOver: Timestamp, end: Timestamp)?

        let signals: SignalDescriptor
        private(set) var output: LineOutput
        var voice: AttemptDiagnostics
        private var rate: LineRateLimiter

        /// The attempts that wait for names, where these are wanted.
        private var names: AttemptNameQueue?
        private var isToldOfNames = false

        private let options: ConnectionsOptions
        /// When the last line came up, on the clock of the packets.
        private(set) var lastTime = Timestamp(nanoseconds: 0)
        /// Packets that were looked at, whatever they were.
        private var packets: UInt64 = 0
        /// The packets whose copies may come from other interfaces.
        private let taken: ZeroedPages<Parameters.Copies>
        /// How many such copies there were.
        private var copies: UInt64 = 0
        /// How many lines may still be written; `nil`: any number.
        private var remaining: UInt64?
        /// Of packets that the kernel dropped; `nil` where they come from a file.
        var drops: DropReporter?

        /// The text of the second that the last line is of.
        private var date = LogLine()
        private var dateSecond: Int64?

        init(
            _ options: ConnectionsOptions, _ signals: consuming SignalDescriptor, _ output: consuming LineOutput,
            _ broker: consuming OutputBroker, _ directSyslog: consuming DirectSyslog?,
            _ names: consuming AttemptNameQueue?,
            _ taken: consuming ZeroedPages<Parameters.Copies>
        ) {
            self.options = options
            self.signals = signals
            self.output = output
            voice = AttemptDiagnostics(broker: broker, directSyslog: directSyslog)
            self.names = names
            self.taken = taken
            rate = LineRateLimiter(limit: options.limit)
            remaining = options.count
        }

        // MARK: Packets

        mutating func inspect(
            packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
        ) throws(PacketFault) -> Bool {
            packets &+= 1
            if options.selection.interest != .everything { return false }
            let attempt = try Attempt(packet: packet, realTime: realTime)
            if !isCopy(packet, over: path, at: now) { add(attempt, at: now) }
            return true
        }

        mutating func receive(
            _ probe: Probe, of packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
        ) {
            guard let attempt = Attempt(probe, realTime: realTime) else { return }
            if !isCopy(packet, over: path, at: now) { add(attempt, at: now) }
        }

        mutating func receive(_ probe: Probe, at now: Timestamp, realTime: Int64) {
            if let attempt = Attempt(probe, realTime: realTime) { add(attempt, at: now) }
        }

        /// Whether a packet that attempts something is one that was taken from another interface.
        @inline(never)
        private mutating func isCopy(_ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp) -> Bool {
            let isCopy = taken.value.isCopy(packet, over: path, at: now)
            if isCopy { copies &+= 1 }
            return isCopy
        }

        /// What gives no probe is no attempt.
        mutating func count(_ fault: PacketFault) {}

        mutating func log(notice: LogLine) {
            voice.note(notice, level: SyslogLevel.notice)
        }

        @inline(never)
        private mutating func add(_ attempt: Attempt, at now: Timestamp) {
            lastTime = now
            if isOver || !rate.admit(at: now) { return }
            if let left = remaining { remaining = left - 1 }
            if !options.names { return write(attempt, nil, nil) }
            makeRoom(for: attempt)
            names?.append(attempt, at: .now())
        }

        /// Who captures packets never waits for names; who reads a file can.
        private mutating func makeRoom(for attempt: Attempt) {
            while options.captureFile != nil && !mustStop && !isClosed {
                writeNamed()
                if names?.hasRoom(for: attempt) == true { return }
                flush()
                wait(for: -1)
            }
            if names?.isFull == true { writeNext(atOnce: true) }
        }

        // MARK: Lines

        /// Writes the lines of the attempts that need not wait any longer for names.
        ///
        /// - Parameter atOnce: none may wait any longer.
        @inline(never)
        mutating func writeNamed(atOnce: Bool = false) {
            while writeNext(atOnce: atOnce) {}
            if !isToldOfNames { tellOfNames() }
        }

        /// Says that there are no names any more, if that is so.
        private mutating func tellOfNames() {
            let isGone = names?.descriptor == -1
            if !isGone && names?.hasGivenUp != true { return }
            isToldOfNames = true
            var line = LogLine("connections: host names: ")
            line.append(isGone ? "the helper has ended" : "no answer from the resolver")
            line.append("; addresses are printed")
            voice.note(line, level: SyslogLevel.warning)
        }

        /// Writes the line of the attempt that has waited for the longest time, and says whether there was one to write.
        @discardableResult
        private mutating func writeNext(atOnce: Bool) -> Bool {
            guard let next = names?.next(atOnce: atOnce) else { return false }
            write(next.attempt, next.source, next.destination)
            return true
        }

        private mutating func write(_ attempt: Attempt, _ source: HostName?, _ destination: HostName?) {
            var line = LogLine(attempt, date: date(of: attempt.realTime), source: source, destination: destination)
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
            let (quotient, rest) = realTime.quotientAndRemainder(dividingBy: 1_000_000_000)
            let second = rest < 0 ? quotient - 1 : quotient
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
                if isClosed || mustStop && !hasTimeLeft { return output.abandon() }
                tellDropped()
                wait(for: -1, until: .earlier(rest?.end, drops?.due))
            }
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
                voice.note(line, level: SyslogLevel.warning)
            case .recovered(let lost):
                var line = LogLine("connections: written again, lines lost: ")
                line.append(decimal: lost)
                voice.note(line, level: SyslogLevel.notice)
            }
            return true
        }

        /// Whether there is nobody any more who reads the lines.
        private(set) var isClosed = false

        /// Whether something failed that can't be gone on after.
        private var hasFailed = false

        /// Whether no line is to be written any more.
        var isOver: Bool { mustStop && rest == nil || isClosed || remaining == 0 }

        // MARK: Waiting

        /// The places of what is waited for.
        private enum Place {
            static let signals = 0
            static let broker = 1
            static let output = 2
            static let names = 3
            static let input = 4
        }

        /// Waits until there is something to do, and does it, but for writing.
        ///
        /// - Parameters:
        ///   - input: what more can be read of; -1: nothing.
        ///   - due: until when; `nil`: for ever.
        /// - Returns: whether there is more to be read.
        @inline(never)
        @discardableResult
        mutating func wait(for input: Int32, until due: Timestamp? = nil) -> Bool {
            var waiting = PollSet<5>()
            waiting.watch(Place.signals, signals.number)
            waiting.watch(Place.broker, voice.broker.descriptor, for: voice.broker.events)
            waiting.watch(Place.output, output.descriptor, for: output.isEmpty ? PollEvents.none : PollEvents.writable)
            waiting.watch(Place.names, names?.descriptor ?? -1)
            waiting.watch(Place.input, input)
            // As long as whoever reads is slow, nothing can be done about lines that have waited for long enough.
            let due = output.isEmpty ? Timestamp.earlier(due, .earlier(names?.due, output.newsDue)) : due
            do throws(SystemError) {
                try waiting.wait(timeout: due?.millisecondsFromNow ?? -1)
            } catch {
                fail(error)
                mustStop = true
                return false
            }
            if waiting.happened(Place.signals) { obeySignals() }
            if waiting.happened(Place.broker) { obeyBroker() }
            if waiting.happened(Place.names) { names?.receive() }
            if waiting.isBroken(Place.output) { isClosed = true }
            return waiting.happened(Place.input)
        }

        /// Waits for more of a capture file.
        ///
        /// - Returns: whether more is wanted.
        @inline(never)
        mutating func waitForInput(_ input: Int32) -> Bool {
            while !isOver {
                writeNamed()
                flush()
                if wait(for: input) && !isOver { return true }
            }
            return false
        }

        // MARK: The end

        /// How long the kernel may keep packets back, in nanoseconds: until its timer comes by the second time, and that may
        /// be late.
        private static var handOverTime: Int64 {
            (2 * Int64(max(Parameters.ringBlockTimeout, Int(Parameters.pcapTimeout))) + 50) * 1_000_000
        }
        /// How long it may take until they are lines, in nanoseconds.
        private static var restTime: Int64 { 250_000_000 }

        /// Whether somebody said to stop, but what came before may still be written.
        private var hasTimeLeft: Bool { rest.map { Timestamp.now() < $0.end } == true }

        /// Waits for packets that came before somebody said to stop, and meanwhile for whoever reads the lines.
        ///
        /// - Returns: whether there are any.
        @inline(never)
        mutating func waitForRest(of packets: Int32) -> Bool {
            while let rest, !isOver && !hasFailed && hasTimeLeft {
                writeNamed()
                let isWritten = flush()
                if wait(for: isWritten ? packets : -1, until: isWritten ? rest.handedOver : rest.end) { return true }
                if isWritten && Timestamp.now() >= rest.handedOver { return false }
            }
            return false
        }

        /// Says why it can't go on.
        @inline(never)
        mutating func fail(_ error: SystemError) {
            if options.captureFile != nil {
                voice.offer(error.line)
            } else {
                voice.note(error.line, level: SyslogLevel.error)
            }
            hasFailed = true
        }

        /// Writes what is left and says what there was, where packets came from a network.
        ///
        /// - Returns: the exit status.
        @inline(never)
        mutating func finish(at now: Timestamp) -> Int32 {
            tellDropped(atExit: true)
            tellSuppressed(at: now, atExit: true)
            while !mustStop && !isClosed && names?.due != nil {
                writeNamed()
                flush()
                if names?.due != nil { wait(for: -1) }
            }
            writeNamed(atOnce: true)
            makeSureAllIsWritten()
            output.abandon()  // the rest of a line, if that could not be written
            let haveLostLines = output.counters.lost > 0 && !isClosed
            if options.captureFile == nil {
                tellCounters()
            } else if haveLostLines {
                var line = LogLine("connections: lines lost: ")
                line.append(decimal: output.counters.lost)
                voice.note(line, level: SyslogLevel.warning)
            }
            return hasFailed || haveLostLines ? 1 : 0
        }

        // MARK: Words

        /// Does what signals ask for.
        @inline(never)
        mutating func obeySignals() {
            while let request = signals.next() {
                switch request {
                case .stop:
                    if !mustStop && options.captureFile == nil {
                        rest = (.fromNow(Self.handOverTime), .fromNow(Self.restTime))
                    }
                    mustStop = true
                case .logStatus: tellCounters()
                case .reload: if options.outputFile != nil { voice.broker.reopen() }
                case .runTestHook: runTestHook()
                case .collectChild: break
                }
            }
        }

        /// Goes on in the file that the broker has opened, and tells it what there was no room for.
        @inline(never)
        mutating func obeyBroker() {
            while true {
                switch voice.broker.answer() {
                case .nothing: return voice.broker.catchUp()
                case .file(let file):
                    flush()
                    output.replace(by: file)
                case .failure(let line):
                    voice.note(line, level: SyslogLevel.warning)
                case .gone:
                    // What is lost from now on nobody would be told of, and no file would be opened anew.
                    voice.tellOfBroker()
                    hasFailed = true
                    mustStop = true
                    return
                }
            }
        }

        /// Says how many lines were suppressed, if it is time to.
        @inline(never)
        mutating func tellSuppressed(at now: Timestamp, atExit: Bool = false) {
            if let line = rate.note(at: now, atExit: atExit) { voice.note(line, level: SyslogLevel.warning) }
        }

        /// Says how many packets the kernel dropped, if it is time to.
        @inline(never)
        mutating func tellDropped(atExit: Bool = false) {
            let isDue = drops?.due.map { Timestamp.now() >= $0 } == true
            do throws(SystemError) {
                if isDue || atExit, let line = try drops?.next() { voice.note(line, level: SyslogLevel.warning) }
            } catch {
                voice.note(error.line, level: SyslogLevel.warning)
            }
            // While lines wait for their reader nothing is received, and all the more is dropped.
            if !output.isEmpty { drops?.expect() }
        }

        /// When something is to be said.
        var noteDue: Timestamp? { rate.noteDue }

        /// Says what was seen and done, as tcpdump does.
        @inline(never)
        mutating func tellCounters() {
            voice.tell(output.counters.written, "lines written")
            voice.tell(rate.suppressed, "lines suppressed")
            voice.tell(output.counters.lost, "lines lost")
            voice.tell(copies, "copies left out")
            voice.tell(packets, "packets captured")
            if options.captureFile != nil { return }
            do throws(SystemError) {
                try drops?.update()
            } catch {
                voice.note(error.line, level: SyslogLevel.warning)
            }
            let dropped = drops?.count ?? 0
            voice.tell(packets + dropped, "packets received by filter")
            voice.tell(dropped, "packets dropped by kernel")
        }
    }
#endif
