#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// The helper that looks names up: a process that has given up whatever it does not need for that.
    ///
    /// It calls no resolver itself. Each lookup has a process of its own, which is killed after two seconds: whatever the
    /// C library, a module that /etc/nsswitch.conf names, or an answer from the network does in there, be it hang, crash
    /// or worse, it does to that lookup.
    ///
    /// It ends when the other end of its socket is closed, and its children with it.
    struct NameService: ~Copyable {
        /// A lookup under way.
        private struct Lookup {
            let process: pid_t
            /// Where the answer comes; -1: there is no lookup.
            let answer: Int32
            let address: Address
            /// When to kill the process.
            let due: Timestamp

            static var none: Lookup {
                Lookup(
                    process: 0, answer: -1, address: Address(ipv6High: 0, low: 0), due: Timestamp(nanoseconds: 0))
            }
        }

        /// An address that waits until there is room for its lookup.
        private struct Request {
            var address = Address(ipv6High: 0, low: 0)
            /// When nobody waits for the answer any more.
            var due = Timestamp(nanoseconds: 0)
        }

        /// How long a lookup may take, and how long its request may wait before, in nanoseconds.
        private static let patience: Int64 = 2_000_000_000

        private let socket: Int32
        private var lookups = InlineArray<8, Lookup>(repeating: .none)
        private var requests = InlineArray<256, Request>(repeating: Request())
        private var first = 0
        private var waiting = 0

        private init(socket: Int32) {
            self.socket = socket
        }

        /// Forks the helper, and waits until it has given up what it must not have.
        ///
        /// - Parameter account: the user it becomes; `nil`: none else.
        /// - Returns: the way to it.
        static func start(as account: Account?) throws(SystemError) -> Descriptor {
            let ends = try NameMessage.makeSockets()
            let child = try check("host names", "fork", fork)
            if child == 0 { serve(ends[1], as: account) }
            close(ends[1])
            let socket = Descriptor(owning: ends[0])
            var waiting = PollSet()
            waiting.watch(0, socket.number)
            try waiting.wait(timeout: 10_000)
            if case .message = NameMessage.receive(from: socket.number) { return socket }
            _ = kill(child, SIGKILL)
            _ = waitpid(child, nil, 0)  // what has failed is gone when we end
            _exit(1)
        }

        /// What the process does all its life.
        private static func serve(_ socket: Int32, as account: Account?) -> Never {
            do throws(SystemError) {
                try Signals.block()
                let kept = keepOnly(socket)
                try confineNameService(to: account)
                prepareResolver()
                _ = NameMessage(Address(ipv4: 0)).send(to: kept)
                loadResolver()
                var service = NameService(socket: kept)
                try service.run()
                _exit(0)
            } catch {
                complain(error.line)
                _exit(1)
            }
        }

        private mutating func run() throws(SystemError) {
            while true {
                let happened = try wait()
                if happened[8].revents != 0 && !takeRequests() { return endAll() }
                let now = Timestamp.now()
                for index in 0..<8 where lookups[index].answer >= 0 {
                    if happened[index].revents != 0 || now >= lookups[index].due { end(index) }
                }
                startLookups(at: now)
            }
        }

        /// Waits for requests, answers, and for what takes too long.
        private mutating func wait() throws(SystemError) -> InlineArray<9, pollfd> {
            var entries = InlineArray<9, pollfd>(repeating: pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
            var due: Timestamp?
            for index in 0..<8 {
                entries[index].fd = lookups[index].answer
                if lookups[index].answer >= 0 { due = .earlier(due, lookups[index].due) }
            }
            let timeout = due?.millisecondsFromNow ?? -1
            var span = entries.mutableSpan
            _ = try check("descriptors", "poll") {
                unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 9, timeout) }
            }
            return entries
        }

        /// Takes the requests that have come; those that there is no room for have no name.
        ///
        /// - Returns: whether more can come.
        private mutating func takeRequests() -> Bool {
            for _ in 0..<requests.count {
                switch NameMessage.receive(from: socket) {
                case .message(let request): take(request.address)
                case .nothing: return true
                case .end: return false
                }
            }
            return true
        }

        private mutating func take(_ address: Address) {
            if waiting == requests.count { return answer(address, nil) }
            let due = Timestamp(nanoseconds: Timestamp.now().nanoseconds + Self.patience)
            requests[(first + waiting) % requests.count] = Request(address: address, due: due)
            waiting += 1
        }

        /// Answers what was asked. Nobody waits for an answer that there is no room for.
        private func answer(_ address: Address, _ name: HostName?) {
            _ = NameMessage(address, name: name).send(to: socket)
        }

        // MARK: Lookups

        private mutating func startLookups(at now: Timestamp) {
            for index in 0..<8 where lookups[index].answer < 0 {
                while waiting > 0 {
                    let request = requests[first]
                    first = (first + 1) % requests.count
                    waiting -= 1
                    if now >= request.due { continue }
                    if start(index, request.address, at: now) { break }
                    answer(request.address, nil)
                }
            }
        }

        /// Forks a process for a lookup, and says whether it could.
        private mutating func start(_ index: Int, _ address: Address, at now: Timestamp) -> Bool {
            let ends: InlineArray<2, Int32>
            do throws(SystemError) {
                ends = try NameMessage.makeSockets()
            } catch {
                return false
            }
            let child = fork()
            if child == 0 { answerOnce(address, to: keepOnly(ends[1])) }
            close(ends[1])
            if child < 0 {
                close(ends[0])
                return false
            }
            lookups[index] = Lookup(
                process: child, answer: ends[0], address: address,
                due: Timestamp(nanoseconds: now.nanoseconds + Self.patience))
            return true
        }

        /// Passes the answer on, if there is one, and ends the process, if it has not ended.
        private mutating func end(_ index: Int) {
            let lookup = lookups[index]
            var name: HostName?
            if case .message(let message) = NameMessage.receive(from: lookup.answer) { name = message.name }
            answer(lookup.address, name)
            remove(index)
        }

        private mutating func endAll() {
            for index in 0..<8 where lookups[index].answer >= 0 { remove(index) }
        }

        private mutating func remove(_ index: Int) {
            close(lookups[index].answer)
            _ = kill(lookups[index].process, SIGKILL)  // still ours: nobody has waited for it
            _ = waitpid(lookups[index].process, nil, 0)
            lookups[index] = .none
        }
    }

    /// Closes all descriptors but the standard ones and one more, and returns the number that this one has then.
    private func keepOnly(_ descriptor: Int32) -> Int32 {
        let number = STDERR_FILENO + 1
        if dup2(descriptor, number) < 0 { _exit(1) }
        closefrom(number + 1)
        return number
    }

    /// What a process does that makes one lookup.
    private func answerOnce(_ address: Address, to socket: Int32) -> Never {
        do throws(SystemError) {
            try confineLookup()
        } catch {
            _exit(1)
        }
        if let name = confirmedName(of: address) { _ = NameMessage(address, name: name).send(to: socket) }
        _exit(0)
    }
#endif
