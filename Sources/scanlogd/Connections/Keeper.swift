#if Pcap
    import Capture
    import CLinux
    import CSeccomp
    import ScanCore

    /// The process that keeps the two things which the one that sees packets can't reach any more: the system log, and the
    /// place of the output file, where it opens a new one when it is asked to.
    ///
    /// With a file it stays root, for the file is in root's directory; it is left the one capability that this takes,
    /// a filter of system calls, and of the file system that directory (landlock(7)). It never sees a packet, and what it
    /// is told of them are numbers in a line.
    struct Keeper: ~Copyable {
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

        private let channel: RecordChannel
        private var isGone = false
        /// How many lines there was no room for since it was last told of them.
        private var lost: UInt64 = 0
        /// Whether there was no room to ask for the file.
        private var mustReopen = false

        /// What poll(2) is asked about; -1, which it leaves out, when there is nobody any more.
        var descriptor: Int32 { isGone ? -1 : channel.number }

        /// What is waited for there: what it says, and room where there was none.
        var events: Int32 { lost > 0 || mustReopen ? POLLIN | POLLOUT : POLLIN }

        /// Starts it, before anything is open that it must not hold, and waits until it has given up what it must not have.
        ///
        /// - Parameters:
        ///   - file: the output file, if there is one.
        ///   - privileges: those it gives up, all of them where there is none.
        init(_ file: borrowing OutputFile?, _ privileges: PrivilegeDrop) throws(SystemError) {
            let ends = try makeSockets("keeper")
            let ours = RecordChannel(owning: ends[0], peer: "keeper")
            let theirs = Descriptor(owning: ends[1])
            let child = try check("keeper", "fork", fork)
            if child == 0 { _exit(KeeperProcess.run(theirs.number, file, privileges)) }
            letGo(theirs)  // or nobody would see that it has ended
            try Keeper.waitUntilReady(child, ours)
            channel = ours
        }

        /// Waits until it is ready. If it ended, why is said here, and that is the end of us too.
        private static func waitUntilReady(
            _ child: pid_t, _ channel: borrowing RecordChannel
        ) throws(SystemError) {
            var waiting = PollSet()
            waiting.watch(0, channel.number)
            try waiting.wait(timeout: 10_000)
            var word = Record(.stop)
            let received = try channel.receive(&word)
            if received == .record && word.kind == .ready { return }
            if received == .nothing { _ = kill(child, SIGKILL) }
            let end = try ProcessEnd(of: "keeper", waitingFor: child)  // what has failed is gone when we say so
            switch received {
            case .record: complain(word.text)
            case .nothing: throw SystemError("keeper", "start", because: "it takes too long")
            case .end: complain(end.startLine)
            }
            _exit(1)
        }

        /// Has a line logged. One that there is no room for is counted; it went to standard error as well, unless we are
        /// in the background.
        mutating func log(_ line: LogLine, level: Int32) {
            catchUp()
            if lost > 0 || !send(Record(.line, level: level, text: line)) { lost += 1 }
        }

        /// Asks for the output file to be opened anew.
        mutating func reopen() {
            mustReopen = true
            catchUp()
        }

        /// Says what there was no room for, if there is now.
        mutating func catchUp() {
            if lost > 0 && send(Record(.line, level: LOG_WARNING, text: .lost(lost))) { lost = 0 }
            if mustReopen && send(Record(.reopen)) { mustReopen = false }
        }

        /// Says whether there was room. That it is gone is found out by waiting for it.
        @inline(never)
        private func send(_ record: Record) -> Bool {
            do throws(SystemError) {
                return try channel.send(record)
            } catch {
                return false
            }
        }

        /// Takes what it has said.
        @inline(never)
        mutating func answer() -> Answer {
            var bytes = InlineArray<512, UInt8>(repeating: 0)
            var span = bytes.mutableSpan
            var number: Int32 = -1
            let count = unsafe span.withUnsafeMutableBytes {
                unsafe clinux_receive_descriptor(channel.number, $0.baseAddress, $0.count, &number)
            }
            if count < 0 && clinux_errno() == EAGAIN { return .nothing }
            guard count == Record.size, let record = Record(bytes) else {
                isGone = true
                return .gone
            }
            if number >= 0 { return .file(Descriptor(owning: number)) }
            return .failure(record.text)
        }
    }

    /// What the keeper's process does.
    private enum KeeperProcess {
        /// How long the last lines may wait for the system log, in nanoseconds.
        private static var lastWait: Int64 { 3_000_000_000 }

        /// Where it has the directory: the filter of system calls knows the number, see Tests/SystemCalls.
        private static var directory: Int32 { 3 }

        /// Runs until the other end of the socket is closed.
        ///
        /// - Returns: the exit status.
        static func run(_ socket: Int32, _ file: borrowing OutputFile?, _ privileges: PrivilegeDrop) -> Int32 {
            let file = move(file)
            let channel = RecordChannel(owning: keepOnly(socket, as: directory + 1), peer: "capture")
            do throws(SystemError) {
                let log = SystemLog(copyToStandardError: false)
                let nullDevice = try openNullDevice()
                try confine(file, privileges)
                // Who waits for the end of a pipe must not have to wait for the keeper's too.
                try replaceStandardDescriptors(by: nullDevice)
                letGo(nullDevice)
                try install(cseccomp_confine_keeper)
                _ = try channel.send(Record(.ready))
                try serve(channel, file, log)
                return 0
            } catch {
                // Not on standard error, which may be out of reach already.
                send(Record(.line, level: LOG_ERR, text: error.line), with: -1, over: channel.number)
                return 1
            }
        }

        /// Puts the directory, if there is one, in its place: nothing is there that is needed, for the socket came later.
        private static func move(_ file: borrowing OutputFile?) -> OutputFile? {
            switch file {
            case .some(let file):
                if dup2(file.directory.number, directory) < 0 { _exit(1) }
                return OutputFile(file.path, in: Descriptor(owning: directory))
            case .none:
                close(directory)
                return nil
            }
        }

        private static func confine(_ file: borrowing OutputFile?, _ privileges: PrivilegeDrop) throws(SystemError) {
            // The directory that it was started in must not be kept busy.
            _ = try check("/", "enter") { unsafe chdir("/") }
            _ = try check("keeper", "set no_new_privs") { clinux_set_no_new_privileges() }
            switch file {
            case .some: if privileges.isRoot { try keepDirectoryOnly(privileges) }
            case .none: try privileges.giveUp()
            }
            try hideFromOthers()
            try limit(RLIMIT_FSIZE, to: 0)
            _ = try check("signals", "catch alarms") { clinux_catch_alarms() }
        }

        /// Leaves root no more than it takes to open a file in that directory, whoever owns it.
        private static func keepDirectoryOnly(_ privileges: PrivilegeDrop) throws(SystemError) {
            try privileges.emptyBoundingSet()
            _ = try check("keeper", "drop capabilities") { clinux_keep_file_access() }
            try loseFiles { clinux_landlock_all_but_new_files(directory) }
        }

        private static func serve(
            _ channel: borrowing RecordChannel, _ file: borrowing OutputFile?, _ log: SystemLog
        ) throws(SystemError) {
            var delivery = LogDelivery(log)
            var endDue: Timestamp?
            while true {
                var waiting = PollSet()
                if endDue == nil { waiting.watch(0, channel.number) }
                try waiting.wait(timeout: Timestamp.earlier(delivery.retryDue, endDue)?.millisecondsFromNow ?? -1)
                if endDue == nil, try !obey(channel, file, &delivery) {
                    delivery.retryAtOnce()
                    endDue = .fromNow(lastWait)
                }
                delivery.deliver()
                if let endDue, delivery.isDone || Timestamp.now() >= endDue { return }
            }
        }

        /// Does what it is told, and says whether there is more to come.
        private static func obey(
            _ channel: borrowing RecordChannel, _ file: borrowing OutputFile?, _ delivery: inout LogDelivery
        ) throws(SystemError) -> Bool {
            var record = Record(.ready)
            while true {
                switch try channel.receive(&record) {
                case .nothing: return true
                case .end: return false
                case .record: break
                }
                if record.kind == .line { delivery.add(record.text, level: record.level) }
                if record.kind == .reopen { reopen(file, for: channel.number) }
            }
        }

        private static func reopen(_ file: borrowing OutputFile?, for socket: Int32) {
            do throws(SystemError) {
                switch file {
                case .some(let file):
                    try runKeeperTestHook(directory, file.path)
                    let opened = try file.open()
                    send(Record(.reopen), with: opened.number, over: socket)
                case .none: return
                }
            } catch {
                send(Record(.line, level: LOG_WARNING, text: error.line), with: -1, over: socket)
            }
        }

        private static func send(_ record: Record, with descriptor: Int32, over socket: Int32) {
            let bytes = record.bytes
            _ = unsafe bytes.span.withUnsafeBytes {
                unsafe clinux_send_descriptor(socket, $0.baseAddress, $0.count, descriptor)
            }
        }
    }
#endif
