#if Connections
    import Capture
    import ScanCore
    import System

    /// The main loop of `scanlogd connections`: receives packets into a sink. It alone waits: for packets, for the
    /// reader of the lines, for names, for signals and for the broker.
    struct AttemptSession: ~Copyable {
        private var sink: AttemptSink
        private let signals: SignalDescriptor
        private let options: ConnectionsOptions
        /// Reports packets dropped by the kernel; `nil` where packets come from a file.
        private var drops: DropReporter?

        /// Whether a stop was requested, or an error makes it impossible to continue.
        private var mustStop = false
        /// After a stop was requested during a live capture: the deadline for receiving the packets that came before,
        /// and the deadline for writing their lines.
        private var rest: (handedOver: Timestamp, end: Timestamp)?
        /// Whether a fatal error occurred.
        private var hasFailed = false
        /// The result of the last receive.
        private var reception = Reception.nothing
        private var retry = ReceiveRetry()

        /// How long the kernel may hold packets back, in nanoseconds: until its timer expires for the second time, and
        /// that may be late.
        private static var handOverTime: Int64 {
            (2 * Int64(max(Parameters.ringBlockTimeout, Int(Parameters.pcapTimeout))) + 50) * 1_000_000
        }
        /// How long it may take to turn them into lines, in nanoseconds.
        private static var restTime: Int64 { 250_000_000 }

        init(
            _ options: ConnectionsOptions, _ signals: consuming SignalDescriptor, _ sink: consuming AttemptSink,
            _ drops: consuming DropReporter?
        ) {
            self.options = options
            self.signals = signals
            self.sink = sink
            self.drops = drops
        }

        // MARK: Live capture

        /// Runs until a stop is requested, the reader of the lines has gone, or enough lines are written.
        ///
        /// - Returns: the exit status.
        mutating func run(_ capture: inout some PacketSource & ~Copyable) -> Int32 {
            while waitForPackets(capture.descriptor) { receive(from: &capture) }
            while waitForRest(of: capture.descriptor) { receive(from: &capture) }
            takeRest(from: &capture)
            return finish(at: .now())
        }

        private mutating func receive(from capture: inout some PacketSource & ~Copyable) {
            do throws(SystemError) {
                reception = try capture.receive(into: &sink)
                if reception != .nothing { drops?.expect(at: .now()) }
                if retry.recordSuccess() {
                    sink.diagnostics.log(LogLine("connections: packets are received again"), level: SyslogLevel.notice)
                }
            } catch {
                reception = .nothing
                if retry.recordFailure(at: .now()) { sink.diagnostics.log(error.line, level: SyslogLevel.warning) }
            }
        }

        /// Waits until packets can be received, and runs due tasks meanwhile.
        ///
        /// - Returns: whether packets are still wanted.
        private mutating func waitForPackets(_ packets: Int32) -> Bool {
            repeat {
                runDueTasks()
                if mustStop || isOver { return false }
                // While lines wait for their reader, packets wait in the kernel, which counts those that do not fit.
                let canReceive = !retry.isFailing && sink.output.isEmpty
                wait(for: canReceive ? packets : -1, until: canReceive && isBehind ? .now() : nextDue())
                if mustStop || isOver { return false }
            } while !sink.flush()
            return true
        }

        /// Whether more packets may be waiting than were received, for which the descriptor need not become readable.
        private var isBehind: Bool { reception == .batch || reception == .full }

        private mutating func runDueTasks() {
            sink.writeNamed()
            sink.flush()
            sink.reportSuppressed(at: .now())
            reportDropped()
        }

        private mutating func nextDue() -> Timestamp? {
            let due = Timestamp.earlier(sink.rate.summaryDue, drops?.due)
            return retry.isFailing ? .earlier(due, .fromNow(ReceiveRetry.pause)) : due
        }

        /// Waits for packets that came before the stop was requested, and meanwhile for the reader of the lines.
        ///
        /// - Returns: whether there are any.
        private mutating func waitForRest(of packets: Int32) -> Bool {
            while let rest, !retry.isFailing && !isOver && !hasFailed && hasTimeLeft {
                sink.writeNamed()
                let isWritten = sink.flush()
                let due = isWritten ? (isBehind ? .now() : rest.handedOver) : rest.end
                let hasPackets = wait(for: isWritten ? packets : -1, until: due)
                if hasPackets || isWritten && isBehind { return true }
                if isWritten && Timestamp.now() >= rest.handedOver { return false }
            }
            return false
        }

        /// Takes the rest of the packets that had been received when the time was over. Lines that can't be written at
        /// once are then lost.
        private mutating func takeRest(from capture: inout some PacketSource & ~Copyable) {
            let end = Timestamp.fromNow(Self.restTime)
            while reception == .full {
                let isWritten = sink.flush()
                sink.losesLines = !isWritten || Timestamp.now() >= end
                receive(from: &capture)
            }
        }

        // MARK: Capture file

        /// Runs until the end of a file, or until a stop is requested.
        ///
        /// - Returns: the exit status.
        mutating func replay(_ file: inout PcapFile) -> Int32 {
            do throws(SystemError) {
                while !isOver, try readNext(of: &file) {}
            } catch {
                fail(error)
            }
            let status = finish(at: sink.lastTime)
            if let line = file.leftOutLine, !sink.isClosed { sink.diagnostics.print(line) }
            return status
        }

        /// Takes the next packet of a file, or waits until it is available and there is room for it. Returns whether
        /// there may be more.
        private mutating func readNext(of file: inout PcapFile) throws(SystemError) -> Bool {
            if sink.isFull {
                waitForRoom()
                return true
            }
            switch try file.advance() {
            case .packet: try file.deliver(into: &sink)
            case .mustWait: if waitForInput(file.descriptor) { file.readMore() }
            case .end: return false
            }
            return true
        }

        private mutating func waitForRoom() {
            sink.writeNamed()
            let isWritten = sink.flush()
            if !isOver && (!isWritten || sink.isFull) { wait(for: -1) }
        }

        /// Waits for more of a file. Returns whether there is more, and it is wanted.
        private mutating func waitForInput(_ input: Int32) -> Bool {
            sink.writeNamed()
            sink.flush()
            return !isOver && wait(for: input) && !isOver
        }

        // MARK: Waiting

        /// Whether no more lines are to be written.
        private var isOver: Bool { mustStop && rest == nil || sink.isOver }

        /// Whether a stop was requested, but lines of earlier packets may still be written.
        private var hasTimeLeft: Bool { rest.map { Timestamp.now() < $0.end } == true }

        /// The slots of the poll set.
        private enum Place {
            static let signals = 0
            static let broker = 1
            static let output = 2
            static let names = 3
            static let input = 4
        }

        /// Waits until there is something to do, and does it, except for writing.
        ///
        /// - Parameters:
        ///   - input: the descriptor of the packets; -1: none are wanted.
        ///   - due: the deadline; `nil`: none.
        /// - Returns: whether there are packets.
        @discardableResult
        private mutating func wait(for input: Int32, until due: Timestamp? = nil) -> Bool {
            let isWritten = sink.output.isEmpty
            var waiting = PollSet<5>()
            waiting.watch(Place.signals, signals.number)
            waiting.watch(Place.broker, sink.diagnostics.broker.descriptor, for: sink.diagnostics.broker.events)
            waiting.watch(Place.output, sink.output.descriptor, for: isWritten ? PollEvents.none : PollEvents.writable)
            waiting.watch(Place.names, sink.names?.descriptor ?? -1)
            waiting.watch(Place.input, input)
            // As long as the reader is slow, attempts that have waited long enough for names can't be written either.
            let due = isWritten ? Timestamp.earlier(due, .earlier(sink.names?.due, sink.output.reportDue)) : due
            do throws(SystemError) {
                try waiting.wait(timeout: due?.millisecondsFromNow ?? -1)
            } catch {
                fail(error)
                mustStop = true
                return false
            }
            if waiting.happened(Place.signals) { handleSignals() }
            if waiting.happened(Place.broker) { handleBroker() }
            if waiting.happened(Place.names) { sink.names?.receive() }
            if waiting.isBroken(Place.output) { sink.isClosed = true }
            return waiting.happened(Place.input)
        }

        private mutating func handleSignals() {
            while let request = signals.next() {
                switch request {
                case .stop: stop()
                case .logStatus: reportCounters()
                case .reload: if options.outputFile != nil { sink.diagnostics.broker.reopen() }
                case .runTestHook: runTestHook()
                case .collectChild: break
                }
            }
        }

        private mutating func stop() {
            if !mustStop && options.captureFile == nil {
                rest = (.fromNow(Self.handOverTime), .fromNow(Self.restTime))
            }
            mustStop = true
        }

        /// Continues in the file that the broker has opened, and sends the broker what did not fit before.
        private mutating func handleBroker() {
            while true {
                switch sink.diagnostics.broker.answer() {
                case .nothing: return sink.diagnostics.broker.catchUp()
                case .file(let file): sink.replaceFile(by: file)
                case .failure(let line): sink.diagnostics.log(line, level: SyslogLevel.warning)
                case .gone:
                    // From now on, losses could not be logged, and no file could be reopened.
                    sink.diagnostics.reportEndOfBroker()
                    hasFailed = true
                    mustStop = true
                    return
                }
            }
        }

        // MARK: The end

        /// Reports a fatal error.
        private mutating func fail(_ error: SystemError) {
            if options.captureFile != nil {
                sink.diagnostics.print(error.line)
            } else {
                sink.diagnostics.log(error.line, level: SyslogLevel.error)
            }
            hasFailed = true
        }

        /// Writes the remaining lines, and reports the counters after a live capture.
        ///
        /// - Returns: the exit status.
        private mutating func finish(at now: Timestamp) -> Int32 {
            reportDropped(atExit: true)
            sink.reportSuppressed(at: now, atExit: true)
            waitForNames()
            repeat {
                sink.writeNamed(atOnce: true)
                drain()
            } while sink.names?.due != nil
            sink.abandonLines()  // the rest of a line that could not be written
            let haveLostLines = sink.output.counters.lost > 0 && !sink.isClosed
            if options.captureFile == nil {
                reportCounters()
            } else if haveLostLines {
                var line = LogLine("connections: lines lost: ")
                line.append(decimal: sink.output.counters.lost)
                sink.diagnostics.log(line, level: SyslogLevel.warning)
            }
            return hasFailed || haveLostLines ? 1 : 0
        }

        /// Waits until no attempt waits for names any longer, unless a stop is requested.
        private mutating func waitForNames() {
            while !mustStop && !sink.isClosed && sink.names?.due != nil {
                sink.writeNamed()
                sink.flush()
                if sink.names?.due != nil { wait(for: -1) }
            }
        }

        /// Writes the buffered lines, for a reader that may be slow. Once a stop is requested, lines that can't be
        /// written are lost.
        private mutating func drain() {
            while !sink.flush() {
                if sink.isClosed || mustStop && !hasTimeLeft { return sink.abandonLines() }
                reportDropped()
                wait(for: -1, until: .earlier(rest?.end, drops?.due))
            }
        }

        /// Logs how many packets the kernel dropped, if that is due.
        private mutating func reportDropped(atExit: Bool = false) {
            let now = Timestamp.now()
            let isDue = drops?.isDue(at: now) == true
            do throws(SystemError) {
                if isDue || atExit, let line = try drops?.message(at: now) {
                    sink.diagnostics.log(line, level: SyslogLevel.warning)
                }
            } catch {
                sink.diagnostics.log(error.line, level: SyslogLevel.warning)
            }
            // While lines wait for their reader, no packets are received, so that even more are dropped.
            if !sink.output.isEmpty { drops?.expect(at: now) }
        }

        /// Reports the counters, as tcpdump does.
        private mutating func reportCounters() {
            let lines = sink.output.counters
            sink.diagnostics.report(lines.written, "lines written")
            sink.diagnostics.report(sink.rate.suppressed, "lines suppressed")
            sink.diagnostics.report(lines.lost, "lines lost")
            sink.diagnostics.report(sink.copies, "copies left out")
            sink.diagnostics.report(sink.packets, "packets captured")
            if options.captureFile != nil { return }
            do throws(SystemError) {
                try drops?.update(at: .now())
            } catch {
                sink.diagnostics.log(error.line, level: SyslogLevel.warning)
            }
            let dropped = drops?.total ?? 0
            sink.diagnostics.report(sink.packets + dropped, "packets received by filter")
            sink.diagnostics.report(dropped, "packets dropped by kernel")
        }
    }
#endif
