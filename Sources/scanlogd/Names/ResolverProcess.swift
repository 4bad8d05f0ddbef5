#if Connections
    import Capture
    import ScanCore
    import System

    /// The helper that looks names up: a process that has dropped everything it does not need for that.
    ///
    /// It calls no resolver itself. Each lookup has a process of its own, which is killed after two seconds: if the C
    /// library, a module that /etc/nsswitch.conf names, or an answer from the network makes it hang, crash or worse,
    /// only that lookup is affected. While the maximum number of processes runs, queries wait in the socket.
    ///
    /// It ends when the other end of its socket is closed, and its children with it.
    struct ResolverProcess: ~Copyable {
        /// A lookup in progress: its process and its deadline.
        private struct Lookup {
            /// Where its process answers; -1: the slot is free.
            var socket: Int32 = -1
            var process: ChildProcess?
            var due = Timestamp(nanoseconds: 0)
            var message = ResolverMessage.none
        }

        /// How often to check for lookups that take too long, in milliseconds.
        private static let pause: Int32 = 100
        /// The maximum number of lookups at a time.
        static let mostLookups = 8
        /// How long before its deadline a lookup counts as timed out, in nanoseconds: the resolver's own timeout may be
        /// as long.
        private static let margin: Int64 = 100_000_000

        /// The poll set: the sockets of the lookups in their slots, and behind them that of the queries.
        private var waiting = PollSet<9>()
        private let questions: Int32
        private var lookups = InlineArray<8, Lookup>(repeating: Lookup())
        private var underWay = 0
        /// Determined before the filter is installed, which forbids the call that queries it.
        private let isFiltered = systemCallsAreFiltered

        private init(socket: Int32) {
            questions = socket
        }

        /// Forks the helper, and waits until it has dropped what it must not have.
        ///
        /// - Parameter privileges: the privileges to drop.
        /// - Returns: the socket to it.
        static func start(_ privileges: PrivilegeDrop) throws(SystemError) -> Descriptor {
            let ends = try makeSockets("host names")
            let socket = Descriptor(owning: ends[0])
            let theirs = Descriptor(owning: ends[1])
            guard let child = try ChildProcess.fork("host names") else { serve(theirs.number, privileges) }
            drop(theirs)  // or the end of the helper would not be noticed
            try child.waitUntilReady(on: socket.number) {
                var message = ResolverMessage.none
                switch message.receive(from: socket.number) {
                case .message: return .ready
                case .nothing: return .pending
                case .end: return .ended
                }
            }
            return socket
        }

        /// The main function of the helper.
        private static func serve(_ socket: Int32, _ privileges: PrivilegeDrop) -> Never {
            do throws(SystemError) {
                try SignalDescriptor.block()
                var service = ResolverProcess(socket: closeAllExcept(socket))
                try confineResolver(privileges)
                prepareResolver()
                service.sendReady()
                loadResolver()
                try service.run()
                CurrentProcess.exit(0)
            } catch {
                warn(error.line)
                CurrentProcess.exit(1)
            }
        }

        private func sendReady() {
            _ = ResolverMessage.none.send(to: questions)
        }

        private mutating func run() throws(SystemError) {
            while try wait() {
                var mayBeAsked = true
                for place in lookups.indices {
                    if waiting.happened(place) || isUsed(place) && Timestamp.now() >= lookups[place].due {
                        finish(place)
                    }
                    if !isUsed(place) && mayBeAsked { mayBeAsked = startNext(place) }
                }
            }
            for place in lookups.indices where isUsed(place) { finish(place) }
        }

        private func isUsed(_ place: Int) -> Bool { lookups[place].socket >= 0 }

        /// Waits for answers, for queries if there is a free slot, and for lookups that take too long.
        ///
        /// - Returns: whether the other end of the socket is still open.
        private mutating func wait() throws(SystemError) -> Bool {
            for place in lookups.indices { waiting.watch(place, lookups[place].socket) }
            let events = underWay < Self.mostLookups ? PollEvents.readable : PollEvents.none
            waiting.watch(Self.mostLookups, questions, for: events)
            try waiting.wait(timeout: underWay > 0 ? Self.pause : -1)
            return !waiting.isBroken(Self.mostLookups)
        }

        /// Forks a process for the next query that is not too old. If that fails, the answer is that there is no name.
        ///
        /// - Returns: whether there was a query.
        private mutating func startNext(_ place: Int) -> Bool {
            var message = ResolverMessage.none
            repeat {
                if message.receive(from: questions) != .message { return false }
            } while message.isOver(at: .now())
            do throws(SystemError) {
                let ends = try makeSockets("host names")
                let ours = Descriptor(owning: ends[0])
                let theirs = Descriptor(owning: ends[1])
                let helper = CurrentProcess.number
                guard let child = try ChildProcess.fork("host names") else {
                    answer(message, to: closeAllExcept(theirs.number), childOf: helper, filter: isFiltered)
                }
                lookups[place] = Lookup(
                    socket: ours.release(), process: child, due: .fromNow(HostNameAnswer.patience), message: message)
                underWay += 1
            } catch {
                _ = message.send(to: questions)
            }
            return true
        }

        /// Forwards what a lookup has found, if anything, and kills its process, if it has not ended.
        private mutating func finish(_ place: Int) {
            var answer = ResolverMessage.none
            if answer.receive(from: lookups[place].socket) == .message {
                lookups[place].message.answer(as: answer)
            } else if .fromNow(Self.margin) >= lookups[place].due {
                lookups[place].message.setUnanswered()
            }
            _ = lookups[place].message.send(to: questions)
            drop(Descriptor(owning: lookups[place].socket))
            lookups[place].process?.killAndWait()
            lookups[place] = Lookup()
            underWay -= 1
        }
    }

    /// The main function of a process that makes one lookup.
    private func answer(_ message: ResolverMessage, to socket: Int32, childOf helper: Int32, filter: Bool) -> Never {
        do throws(SystemError) {
            try confineLookup(filter: filter)
        } catch {
            CurrentProcess.exit(1)
        }
        if CurrentProcess.parent != helper { CurrentProcess.exit(1) }  // it ended before endWithParent() took effect
        if let name = forwardConfirmedName(of: message.address) {
            var answer = message
            answer.answer(name)
            _ = answer.send(to: socket)
        }
        CurrentProcess.exit(0)
    }
#endif
