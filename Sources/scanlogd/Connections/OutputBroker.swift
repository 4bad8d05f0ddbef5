#if Connections
    import Capture
    import CSeccomp
    import ScanCore
    import System

    /// The process that keeps the two things which the one that sees packets can't reach any more: the system log, and the
    /// place of the output file, where it opens a new one when it is asked to.
    ///
    /// With a file it stays root, for the file is in root's directory; it is left the one capability that this takes,
    /// a filter of system calls, and of the file system that directory (landlock(7)). It never sees a packet, and what it
    /// is told of them are numbers in a line.
    struct OutputBroker: ~Copyable {
        /// What it says.
        enum Answer: ~Copyable {
            /// Nothing yet.
            case nothing
            /// The file, open.
            case file(Descriptor)
            /// Why it can't open the file.
            case failure(LogLine)
            /// It is gone.
            case gone
        }

        private let channel: MessageChannel
        private var isGone = false
        /// How many lines there was no room for since it was last told of them.
        private var lost: UInt64 = 0
        /// Whether there was no room to ask for the file.
        private var mustReopen = false

        /// What poll(2) is asked about; -1, which it leaves out, when there is nobody any more.
        var descriptor: Int32 { isGone ? -1 : channel.number }

        /// What is waited for there: what it says, and room where there was none.
        var events: Int32 { lost > 0 || mustReopen ? PollEvents.readable | PollEvents.writable : PollEvents.readable }

        /// Starts it, before anything is open that it must not hold, and waits until it has given up what it must not have.
        ///
        /// - Parameters:
        ///   - file: the output file, if there is one.
        ///   - privileges: those it gives up, all of them where there is none.
        init(_ file: borrowing AppendFile?, _ privileges: PrivilegeDrop) throws(SystemError) {
            let ends = try makeSockets("broker")
            let ours = MessageChannel(owning: ends[0], peer: "broker")
            let theirs = Descriptor(owning: ends[1])
            guard let child = try ChildProcess.fork("broker") else {
                CurrentProcess.exit(OutputBrokerProcess.run(theirs.number, file, privileges))
            }
            drop(theirs)  // or nobody would see that it has ended
            try child.waitUntilReady(on: ours)
            self.init(ours)
        }

        /// Takes over the way to one that has been started.
        init(_ channel: consuming MessageChannel) {
            self.channel = channel
        }

        /// Has a line logged. One that there is no room for is counted; it went to standard error as well, unless we are
        /// in the background.
        mutating func log(_ line: LogLine, level: Int32) {
            catchUp()
            if lost > 0 || !send(Message(.line, level: level, text: line)) { lost += 1 }
        }

        /// Asks for the output file to be opened anew.
        mutating func reopen() {
            mustReopen = true
            catchUp()
        }

        /// Says what there was no room for, if there is now.
        mutating func catchUp() {
            if lost > 0 && send(Message(.line, level: SyslogLevel.warning, text: .lost(lost))) { lost = 0 }
            if mustReopen && send(Message(.reopen)) { mustReopen = false }
        }

        /// Says whether there was room. That it is gone is found out by waiting for it.
        @inline(never)
        private func send(_ record: Message) -> Bool {
            do throws(SystemError) {
                return try channel.send(record)
            } catch {
                return false
            }
        }

        /// Takes what it has said.
        @inline(never)
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

    /// What the broker's process does.
    private enum OutputBrokerProcess {
        /// How long the last lines may wait for the system log, in nanoseconds.
        private static var lastWait: Int64 { 3_000_000_000 }

        /// Where it has the directory: the filter of system calls knows the number, see Sources/CSeccomp/policy.
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
                // Who waits for the end of a pipe must not have to wait for the broker's too.
                try replaceStandardDescriptors(by: nullDevice)
                drop(nullDevice)
                try install(cseccomp_confine_broker)
                _ = try channel.send(Message(.ready))
                try serve(channel, file, log)
                return 0
            } catch {
                // Not on standard error, which may be out of reach already.
                channel.send(Message(.line, level: SyslogLevel.error, text: error.line), with: -1)
                return 1
            }
        }

        /// Puts the directory, if there is one, in its place: nothing is there that is needed, for the socket came later.
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
            // The directory that it was started in must not be kept busy.
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

        /// Leaves root no more than it takes to open a file in that directory, whoever owns it.
        private static func keepDirectoryOnly(_ privileges: PrivilegeDrop) throws(SystemError) {
            try privileges.emptyBoundingSet()
            try keepFileAccess("broker")
            try restrictFileSystem(to: .filesIn(directory))
        }

        private static func serve(
            _ channel: borrowing MessageChannel, _ file: borrowing AppendFile?, _ log: SystemLog
        ) throws(SystemError) {
            var delivery = LogDelivery(log)
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

        /// Does what it is told, and says whether there is more to come.
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
