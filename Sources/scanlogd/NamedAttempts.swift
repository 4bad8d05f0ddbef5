#if Pcap
    import Capture
    import ScanCore

    /// The attempts that wait for the names of their hosts, in the order they came, and whoever looks these up.
    struct NamedAttempts: ~Copyable {
        private var names: HostNames
        private var queue: ZeroedPages<AttemptQueue>

        /// Starts the helper that looks names up: see ``HostNames/init(account:)``.
        init(account: Account?) throws(SystemError) {
            let names = try HostNames(account: account)
            queue = try ZeroedPages("memory of waiting attempts")
            self.names = names
        }

        /// What can be read when names have come; -1 when there will be none any more.
        var descriptor: Int32 { names.descriptor }

        /// When the first attempt has waited for long enough; `nil`: none waits.
        var due: Timestamp? {
            mutating get { queue.value.headDeadline }
        }

        /// Whether there is no room for another.
        var isFull: Bool { queue.value.isFull }

        /// Adds an attempt, for which there must be room, and has the names of its hosts looked up.
        mutating func append(_ attempt: Attempt, at now: Timestamp) {
            _ = names.lookUp(attempt.source, at: now)
            _ = names.lookUp(attempt.destination, at: now)
            queue.value.append(attempt, at: now)
        }

        /// Takes the names that have come.
        mutating func receive() {
            names.receive(at: .now())
        }

        /// An attempt, and the names of its hosts, as far as they have any.
        struct Named {
            let attempt: Attempt
            let source: HostName?
            let destination: HostName?
        }

        /// Takes the first attempt off, if it need not wait any longer.
        ///
        /// - Parameter atOnce: it must not.
        mutating func next(atOnce: Bool) -> Named? {
            guard let attempt = queue.value.head, let due = queue.value.headDeadline else { return nil }
            let now = Timestamp.now()
            let source = names.lookUp(attempt.source, at: now)
            let destination = names.lookUp(attempt.destination, at: now)
            if !atOnce && now < due && (source == .pending || destination == .pending) { return nil }
            queue.value.removeHead()
            return Named(attempt: attempt, source: source.known, destination: destination.known)
        }
    }

    extension NameCache: ZeroIsEmpty {}
    extension AttemptQueue: ZeroIsEmpty {}

    extension NameAnswer {
        /// The name, if there is one.
        fileprivate var known: HostName? {
            if case .name(let name) = self { return name }
            return nil
        }
    }
#endif
