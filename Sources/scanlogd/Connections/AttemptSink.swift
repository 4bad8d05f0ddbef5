#if Connections
    import Capture
    import ScanCore
    import System

    /// Turns packets into lines about attempts: an attempt passes the rate limit, waits for names if these are wanted,
    /// and becomes a line of the output.
    ///
    /// Nothing here blocks: ``isFull`` reports a full queue, and ``AttemptSession`` waits and drains it.
    struct AttemptSink: ~Copyable, ProbeSink {
        private(set) var output: LineOutput
        var diagnostics: AttemptDiagnostics
        private(set) var rate: LineRateLimiter
        /// The attempts that wait for names, if names are wanted.
        var names: AttemptNameQueue?
        private let wantsNames: Bool
        private var hasReportedNames = false

        private let interest: CaptureOptions.Interest
        private var date: AttemptDate
        /// The stamps of events; `nil`: plain lines are written.
        private var stamps: EventStamps?
        /// Recent packets, of which other interfaces may deliver copies.
        private let taken: ZeroedPages<Parameters.Copies>
        /// How many lines may still be written; `nil`: any number.
        private var remaining: UInt64?

        /// When the last attempt was seen, on the clock of the packets.
        private(set) var lastTime = Timestamp(nanoseconds: 0)
        /// Packets inspected, of whatever kind.
        private(set) var packets: UInt64 = 0
        /// How many of them were copies of others.
        private(set) var copies: UInt64 = 0
        /// Whether the reader of the lines has gone.
        var isClosed = false
        /// Lines that do not fit are lost at once: there is no time left to wait until they are written.
        var losesLines = false

        init(
            _ options: ConnectionsOptions, _ output: consuming LineOutput, _ diagnostics: consuming AttemptDiagnostics,
            _ names: consuming AttemptNameQueue?, _ taken: consuming ZeroedPages<Parameters.Copies>, run: UInt32
        ) {
            interest = options.selection.interest
            date = AttemptDate(options.dateFormat)
            stamps = options.writesEvents ? EventStamps(run: run) : nil
            rate = LineRateLimiter(limit: options.limit)
            remaining = options.count
            wantsNames = options.names
            self.output = output
            self.diagnostics = diagnostics
            self.names = names
            self.taken = taken
        }

        /// Whether no more lines are wanted.
        var isOver: Bool { isClosed || remaining == 0 }

        /// Whether lines have to be written, or names to arrive, before there is room for the attempts of another
        /// packet.
        var isFull: Bool {
            if output.isFull && !losesLines { return true }
            switch names {
            case .some(let names): return names.mustWait
            case .none: return false
            }
        }

        // MARK: Packets

        mutating func inspect(
            packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64
        ) throws(PacketFault) -> Bool {
            packets &+= 1
            if interest != .everything { return false }
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

        /// Whether a packet with an attempt is a copy of one that was received on another interface.
        private mutating func isCopy(_ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp) -> Bool {
            let isCopy = taken.value.isCopy(packet, over: path, at: now)
            if isCopy { copies &+= 1 }
            return isCopy
        }

        /// A packet without a probe is no attempt.
        mutating func count(_ fault: PacketFault) {}

        mutating func log(notice: LogLine) {
            diagnostics.log(notice, level: SyslogLevel.notice)
        }

        private mutating func add(_ attempt: Attempt, at now: Timestamp) {
            lastTime = now
            if isOver || !rate.admit(at: now) { return }
            if let left = remaining { remaining = left - 1 }
            if !wantsNames { return write(attempt, nil, nil) }
            if names?.isFull == true { writeNext(atOnce: true) }
            names?.append(attempt, at: .now())
        }

        // MARK: Lines

        /// Turns attempts that need not wait any longer for names into lines, as many as fit.
        ///
        /// - Parameter atOnce: whether none may wait any longer.
        mutating func writeNamed(atOnce: Bool = false) {
            names?.lookUpLast()
            while !output.isFull && writeNext(atOnce: atOnce) {}
            if !hasReportedNames { reportNames() }
        }

        /// Logs that no more names will come, if so.
        private mutating func reportNames() {
            let isGone = names?.descriptor == -1
            if !isGone && names?.hasGivenUp != true { return }
            hasReportedNames = true
            var line = LogLine("connections: host names: ")
            line.append(isGone ? "the helper has ended" : "no answer from the resolver")
            line.append("; addresses are printed")
            diagnostics.log(line, level: SyslogLevel.warning)
        }

        /// Turns the attempt that has waited longest into a line. Returns whether there was one that need not wait.
        @discardableResult
        private mutating func writeNext(atOnce: Bool) -> Bool {
            guard let next = names?.next(atOnce: atOnce) else { return false }
            write(next.attempt, next.source, next.destination)
            return true
        }

        private mutating func write(_ attempt: Attempt, _ source: HostName?, _ destination: HostName?) {
            if output.isExhausted { flush() }
            if let stamp = stamps?.next(at: attempt.realTime) {
                let content = EventContent.attempt(AttemptNames(attempt, source: source, destination: destination))
                var text = EventText(Event(stamp, content), line: LogLine())
                text.endLine()
                return output.append(text.bytes.span.extracting(0..<text.count))
            }
            let date = date.text(of: attempt.realTime)
            var line = LogLine(attempt, date: date, source: source, destination: destination)
            line.append("\n")
            output.append(line)
        }

        /// Writes the buffered lines, as far as possible without blocking. Returns whether all are written.
        @discardableResult
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
                diagnostics.log(line, level: SyslogLevel.warning)
            case .recovered(let lost):
                var line = LogLine("connections: written again, lines lost: ")
                line.append(decimal: lost)
                diagnostics.log(line, level: SyslogLevel.notice)
            }
            return true
        }

        /// Discards the buffered lines: they count as lost.
        mutating func abandonLines() {
            output.abandon()
        }

        /// Continues in another file, which has replaced the old one at the same path.
        mutating func replaceFile(by file: consuming Descriptor) {
            flush()
            output.replace(by: file)
        }

        /// Logs how many lines the rate limit suppressed, if that is due.
        mutating func reportSuppressed(at now: Timestamp, atExit: Bool = false) {
            if let line = rate.summary(at: now, atExit: atExit) { diagnostics.log(line, level: SyslogLevel.warning) }
        }
    }
#endif
