#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// The helper that looks names up: a process that has given up whatever it does not need for that.
    ///
    /// It calls no resolver itself. Each lookup has a process of its own, which is killed after two seconds: whatever the
    /// C library, a module that /etc/nsswitch.conf names, or an answer from the network does in there, be it hang, crash
    /// or worse, it does to that lookup. While there are as many processes as there may be, questions wait in the socket.
    ///
    /// It ends when the other end of its socket is closed, and its children with it.
    struct NameService: ~Copyable {
        /// What is being looked up, by which process, and until when.
        private struct Lookup {
            var process: pid_t = 0
            var due = Timestamp(nanoseconds: 0)
            var message = NameMessage.none
        }

        /// How often to look whether one takes too long, in milliseconds.
        private static let pause: Int32 = 100
        /// How many lookups are made at a time.
        static let mostLookups = 8
        /// How long before its end a lookup's time counts as over, in nanoseconds: the resolver's own may be as long.
        private static let margin: Int64 = 100_000_000

        /// What to wait for: the answers of the lookups in their places, and behind them the questions.
        private var entries = InlineArray<9, pollfd>(repeating: pollfd(fd: -1, events: Int16(POLLIN), revents: 0))
        private var lookups = InlineArray<8, Lookup>(repeating: Lookup())
        private var underWay = 0
        /// To ask the kernel is a call that the filter forbids.
        private let isFiltered = systemCallsAreFiltered

        private init(socket: Int32) {
            entries[Self.mostLookups].fd = socket
        }

        /// Forks the helper, and waits until it has given up what it must not have.
        ///
        /// - Parameter privileges: those it gives up.
        /// - Returns: the way to it.
        static func start(_ privileges: PrivilegeDrop) throws(SystemError) -> Descriptor {
            let ends = try makeSockets("host names")
            let child = try check("host names", "fork", fork)
            if child == 0 { serve(ends[1], privileges) }
            close(ends[1])
            let socket = Descriptor(owning: ends[0])
            var waiting = PollSet()
            waiting.watch(0, socket.number)
            try waiting.wait(timeout: 10_000)
            var message = NameMessage.none
            let received = message.receive(from: socket.number)
            if received == .message { return socket }
            if received == .nothing { _ = kill(child, SIGKILL) }
            let end = try ProcessEnd(of: "host names", waitingFor: child)  // what has failed is gone when we end
            if received == .nothing { throw SystemError("host names", "start", because: "it takes too long") }
            end.complainOfStart()
            _exit(1)
        }

        /// What the process does all its life.
        private static func serve(_ socket: Int32, _ privileges: PrivilegeDrop) -> Never {
            do throws(SystemError) {
                try Signals.block()
                var service = NameService(socket: keepOnly(socket))
                try confineNameService(privileges)
                prepareResolver()
                service.sendReady()
                loadResolver()
                try service.run()
                _exit(0)
            } catch {
                complain(error.line)
                _exit(1)
            }
        }

        private func sendReady() {
            _ = NameMessage.none.send(to: entries[Self.mostLookups].fd)
        }

        private mutating func run() throws(SystemError) {
            while try wait() {
                var mayBeAsked = true
                for place in lookups.indices {
                    if entries[place].revents != 0 || isUsed(place) && Timestamp.now() >= lookups[place].due {
                        finish(place)
                    }
                    if !isUsed(place) && mayBeAsked { mayBeAsked = startNext(place) }
                }
            }
            for place in lookups.indices where isUsed(place) { finish(place) }
        }

        private func isUsed(_ place: Int) -> Bool { entries[place].fd >= 0 }

        /// Waits for answers, for questions if there is a place for their lookups, and for what takes too long.
        ///
        /// - Returns: whether anybody is there to ask questions.
        private mutating func wait() throws(SystemError) -> Bool {
            entries[Self.mostLookups].events = underWay < Self.mostLookups ? Int16(POLLIN) : 0
            let timeout = underWay > 0 ? Self.pause : -1
            var span = entries.mutableSpan
            _ = try check("host names", "poll") {
                unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, nfds_t($0.count), timeout) }
            }
            return Int32(entries[Self.mostLookups].revents) & (POLLHUP | POLLERR) == 0
        }

        /// Forks a process for the next question that is not too old, for which there is no name if we can't.
        ///
        /// - Returns: whether there was one.
        @inline(never)
        private mutating func startNext(_ place: Int) -> Bool {
            let questions = entries[Self.mostLookups].fd
            var message = NameMessage.none
            repeat {
                if message.receive(from: questions) != .message { return false }
            } while message.isOver(at: .now())
            do throws(SystemError) {
                let ends = try makeSockets("host names")
                let helper = getpid()
                let child = fork()
                if child == 0 { answer(message, to: keepOnly(ends[1]), childOf: helper, filter: isFiltered) }
                close(ends[1])
                entries[place].fd = ends[0]
                lookups[place] = Lookup(process: child, due: .fromNow(NameAnswer.patience), message: message)
                underWay += 1
                if child < 0 { finish(place) }
            } catch {
                _ = message.send(to: questions)
            }
            return true
        }

        /// Passes on what a lookup has found, if anything, and ends its process, if it has not ended.
        @inline(never)
        private mutating func finish(_ place: Int) {
            var answer = NameMessage.none
            if answer.receive(from: entries[place].fd) == .message {
                lookups[place].message.answer(as: answer)
            } else if .fromNow(Self.margin) >= lookups[place].due {
                lookups[place].message.giveUp()
            }
            _ = lookups[place].message.send(to: entries[Self.mostLookups].fd)
            close(entries[place].fd)
            entries[place].fd = -1
            underWay -= 1
            let process = lookups[place].process
            if process < 0 { return }
            _ = kill(process, SIGKILL)  // still ours: nobody has waited for it
            _ = waitpid(process, nil, 0)
        }
    }

    /// What a process does that makes one lookup.
    private func answer(_ message: NameMessage, to socket: Int32, childOf helper: pid_t, filter: Bool) -> Never {
        do throws(SystemError) {
            try confineLookup(filter: filter)
        } catch {
            _exit(1)
        }
        if getppid() != helper { _exit(1) }  // it ended before we asked to end with it
        if let name = confirmedName(of: message.address) {
            var answer = message
            answer.answer(name)
            _ = answer.send(to: socket)
        }
        _exit(0)
    }
#endif
