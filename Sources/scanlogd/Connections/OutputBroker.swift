#if Connections
    import Capture
    import CSeccomp
    import ScanCore
    import System

    /// The process that keeps access to two resources that the capture process no longer has: the system log, and the
    /// directory of the output file, which it reopens on request.
    ///
    /// With an output file it stays root, for the file is in root's directory. It keeps the one capability that this
    /// takes, a filter of system calls, and access to that directory only (landlock(7)). It never receives a packet;
    /// all that reaches it of packets is counters in messages.
    struct OutputBroker: ~Copyable {
        /// An answer of the broker.
        enum Answer: ~Copyable {
            /// Nothing yet.
            case nothing
            /// The file, open.
            case file(Descriptor)
            /// Why the file can't be opened.
            case failure(LogLine)
            /// The broker has ended.
            case gone
        }

        private let channel: MessageChannel
        private var isGone = false
        /// How many lines did not fit into the channel and have not been reported.
        private var lost: UInt64 = 0
        /// Whether the request to reopen the file did not fit.
        private var mustReopen = false

        /// The descriptor for poll(2); -1, which it ignores, once the broker has ended.
        var descriptor: Int32 { isGone ? -1 : channel.number }

        /// The events to poll for: answers, and room in the channel if something did not fit.
        var events: Int32 { lost > 0 || mustReopen ? PollEvents.readable | PollEvents.writable : PollEvents.readable }

        /// Starts the broker, before anything is opened that it must not hold, and waits until it has dropped what it
        /// must not have.
        ///
        /// - Parameters:
        ///   - file: the output file, if there is one.
        ///   - privileges: the privileges that the broker drops; all of them without an output file.
        init(_ file: borrowing AppendFile?, _ privileges: PrivilegeDrop) throws(SystemError) {
            let ends = try makeSockets("broker")
            let ours = MessageChannel(owning: ends[0], peer: "broker")
            let theirs = Descriptor(owning: ends[1])
            guard let child = try ChildProcess.fork("broker") else {
                CurrentProcess.exit(OutputBrokerProcess.run(theirs.number, file, privileges))
            }
            drop(theirs)  // or the end of the broker would not be noticed
            try child.waitUntilReady(on: ours)
            self.init(ours)
        }

        /// Takes over the channel to a broker that has been started.
        init(_ channel: consuming MessageChannel) {
            self.channel = channel
        }

        /// Sends a line to be logged. A line that does not fit is counted; it went to standard error as well, unless in
        /// the background.
        mutating func log(_ line: LogLine, level: Int32) {
            catchUp()
            if lost > 0 || !send(Message(.line, level: level, text: line)) { lost += 1 }
        }

        /// Requests that the output file be reopened.
        mutating func reopen() {
            mustReopen = true
            catchUp()
        }

        /// Sends what did not fit before, if there is room now.
        mutating func catchUp() {
            if lost > 0 && send(Message(.line, level: SyslogLevel.warning, text: .lost(lost))) { lost = 0 }
            if mustReopen && send(Message(.reopen)) { mustReopen = false }
        }

        /// Returns whether there was room. The end of the broker is noticed by polling.
        private func send(_ record: Message) -> Bool {
            do throws(SystemError) {
                return try channel.send(record)
            } catch {
                return false
            }
        }

        /// Receives the next answer of the broker.
        mutating func answer() -> Answer {
            switch channel.receiveDescriptor() {
            case .nothing: return .nothing
            case .descriptor(let descriptor): return .file(descriptor)
            case .message(let message): return .failure(message.text)
            case .end:
                isGone = true
                return .gone
            }
        }
    }

    /// The code of the broker's process.
    private enum OutputBrokerProcess {
        /// How long the last lines may wait for the system log, in nanoseconds.
        private static var lastWait: Int64 { 3_000_000_000 }

        /// The descriptor number of the directory: the filter of system calls depends on it, see
        /// Sources/CSeccomp/policy.
        private static var directory: Int32 { 3 }

        /// Runs until the other end of the socket is closed.
        ///
        /// - Returns: the exit status.
        static func run(_ socket: Int32, _ file: borrowing AppendFile?, _ privileges: PrivilegeDrop) -> Int32 {
            let moved: AppendFile?
            do throws(SystemError) {
                moved = try move(file)
            } catch {
                warn(error.line)
                return 1
            }
            let file = moved
            let channel = MessageChannel(owning: closeAllExcept(socket, as: directory + 1), peer: "capture")
            do throws(SystemError) {
                let log = SystemLog(copyToStandardError: false)
                let nullDevice = try openNullDevice()
                try confine(file, privileges)
                // A reader that waits for end of file on a pipe must not have to wait for the broker as well.
                try replaceStandardDescriptors(by: nullDevice)
                drop(nullDevice)
                try install(cseccomp_confine_broker)
                _ = try channel.send(Message(.ready))
                try serve(channel, file, log)
                return 0
            } catch {
                // Not on standard error, which may no longer be accessible.
                channel.send(Message(.line, level: SyslogLevel.error, text: error.line), with: -1)
                return 1
            }
        }

        /// Moves the directory, if there is one, to its descriptor number: what is open there is not needed, for the
        /// socket has a later one.
        private static func move(_ file: borrowing AppendFile?) throws(SystemError) -> AppendFile? {
            switch file {
            case .some(let file):
                return AppendFile(file.path, in: try Descriptor(duplicating: file.directory, as: directory))
            case .none:
                drop(Descriptor(owning: directory))
                return nil
            }
        }

        private static func confine(_ file: borrowing AppendFile?, _ privileges: PrivilegeDrop) throws(SystemError) {
            // The working directory must not be kept busy.
            try CurrentProcess.enterRoot()
            try forbidNewPrivileges("broker")
            switch file {
            case .some: if privileges.isRoot { try keepDirectoryOnly(privileges) }
            case .none: try privileges.drop()
            }
            try forbidTracing()
            try limit(.fileSize, to: 0)
            try SignalDescriptor.catchAlarms()
        }

        /// Leaves root only the rights to open a file in that directory, whoever owns it.
        private static func keepDirectoryOnly(_ privileges: PrivilegeDrop) throws(SystemError) {
            try privileges.emptyBoundingSet()
            try keepFileAccess("broker")
            try restrictFileSystem(to: .filesIn(directory))
        }

        private static func serve(
            _ channel: borrowing MessageChannel, _ file: borrowing AppendFile?, _ log: SystemLog
        ) throws(SystemError) {
            var delivery = LogDelivery(log, run: 0)  // its events are not written
            var endDue: Timestamp?
            while true {
                var waiting = PollSet<1>()
                if endDue == nil { waiting.watch(0, channel.number) }
                try waiting.wait(timeout: Timestamp.earlier(delivery.retryDue, endDue)?.millisecondsFromNow ?? -1)
                if endDue == nil, try !serve(channel, file, &delivery) {
                    delivery.retryAtOnce()
                    endDue = .fromNow(lastWait)
                }
                delivery.deliver()
                if let endDue, delivery.isDone || Timestamp.now() >= endDue { return }
            }
        }

        /// Handles the waiting messages. Returns whether more may come.
        private static func serve(
            _ channel: borrowing MessageChannel, _ file: borrowing AppendFile?, _ delivery: inout LogDelivery
        ) throws(SystemError) -> Bool {
            var record = Message(.ready)
            while true {
                switch try channel.receive(&record) {
                case .nothing: return true
                case .end: return false
                case .message: break
                }
                if record.kind == .line { delivery.add(record.text, level: record.level) }
                if record.kind == .reopen { reopen(file, over: channel) }
            }
        }

        private static func reopen(_ file: borrowing AppendFile?, over channel: borrowing MessageChannel) {
            do throws(SystemError) {
                switch file {
                case .some(let file):
                    try runBrokerTestHook(directory, file.path)
                    let opened = try file.open()
                    channel.send(Message(.reopen), with: opened.number)
                case .none: return
                }
            } catch {
                channel.send(Message(.line, level: SyslogLevel.warning, text: error.line), with: -1)
            }
        }
    }
#endif
