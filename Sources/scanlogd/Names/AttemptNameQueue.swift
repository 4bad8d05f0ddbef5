#if Pcap
    import Capture
    import ScanCore
    import System

    /// The attempts that wait for the names of their hosts, in the order they came, and whoever looks these up.
    struct AttemptNameQueue: ~Copyable {
        private var names: HostNameResolver
        private var queue: ZeroedPages<AttemptQueue>

        /// How often it is looked after attempts that wait for as long as it takes, in nanoseconds.
        private static var pause: Int64 { 1_000_000_000 }

        /// Starts the helper that looks names up: see ``HostNameResolver/init(_:isPatient:)``.
        init(_ privileges: PrivilegeDrop, isPatient: Bool) throws(SystemError) {
            let names = try HostNameResolver(privileges, isPatient: isPatient)
            queue = try ZeroedPages("memory of waiting attempts")
            self.names = names
        }

        /// What can be read when names have come; -1 when there will be none any more.
        var descriptor: Int32 { names.descriptor }

        /// Whether no name is looked up any more, for nobody answers.
        var hasGivenUp: Bool { names.hasGivenUp }

        /// When the first attempt has waited for long enough, or is to be looked after; `nil`: none waits.
        var due: Timestamp? {
            mutating get {
                let due = queue.value.headDeadline
                return due != nil && names.isPatient ? .fromNow(Self.pause) : due
            }
        }

        /// Whether there is no room for another.
        var isFull: Bool { queue.value.isFull }

        /// Whether there is room for an attempt, and for the lookups that it takes, which begin.
        mutating func hasRoom(for attempt: Attempt) -> Bool {
            if isFull { return false }
            let now = Timestamp.now()
            return names.lookUp(attempt.source, at: now) != nil && names.lookUp(attempt.destination, at: now) != nil
        }

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
            if !atOnce && (mustWait(source, now < due) || mustWait(destination, now < due)) { return nil }
            queue.value.removeHead()
            return Named(attempt: attempt, source: source?.known, destination: destination?.known)
        }

        /// Whether a name may still come, and be waited for.
        private func mustWait(_ answer: HostNameAnswer?, _ hasTime: Bool) -> Bool {
            names.isPatient ? answer == nil || answer == .pending : hasTime && answer == .pending
        }
    }

    extension HostNameCache: Zeroable {}
    extension AttemptQueue: Zeroable {}

    extension HostNameAnswer {
        /// The name, if there is one.
        fileprivate var known: HostName? {
            if case .name(let name) = self { return name }
            return nil
        }
    }
#endif
