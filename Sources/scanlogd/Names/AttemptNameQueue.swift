#if Connections
    import Capture
    import ScanCore
    import System

    /// The attempts that wait for the names of their hosts, in order of arrival, and the resolver of these names.
    struct AttemptNameQueue: ~Copyable {
        private var names: HostNameResolver
        private var queue: ZeroedPages<AttemptQueue>
        /// The last attempt, while not all of its lookups have begun, if attempts wait for names as long as it takes.
        private var unasked: Attempt?

        /// How much room is reserved for the attempts of one packet, where attempts wait as long as it takes. If a
        /// packet reveals more, which takes thousands of fragments crafted for it, the oldest attempts are written with
        /// addresses.
        private static var reserve: Int { 3_072 }

        /// How often attempts that wait as long as it takes are checked, in nanoseconds.
        private static var pause: Int64 { 1_000_000_000 }

        /// Starts the helper process that looks names up: see ``HostNameResolver/init(_:isPatient:)``.
        init(_ privileges: PrivilegeDrop, isPatient: Bool) throws(SystemError) {
            let names = try HostNameResolver(privileges, isPatient: isPatient)
            queue = try ZeroedPages("memory of waiting attempts")
            self.names = names
        }

        /// The descriptor that is readable when names have arrived; -1 once no more will come.
        var descriptor: Int32 { names.descriptor }

        /// Whether lookups have been abandoned because no resolver answers.
        var hasGivenUp: Bool { names.hasGivenUp }

        /// When the first attempt has waited long enough, or is to be checked; `nil`: none waits.
        var due: Timestamp? {
            mutating get {
                let due = queue.value.headDeadline
                return due != nil && names.isPatient ? .fromNow(Self.pause) : due
            }
        }

        /// Whether there is no room for another.
        var isFull: Bool {
            mutating get { queue.value.isFull }
        }

        /// Whether names have to arrive before there is room for more attempts and their lookups. Never, unless
        /// attempts wait as long as it takes.
        var mustWait: Bool {
            names.isPatient && (unasked != nil || queue.value.count > AttemptQueue.capacity - Self.reserve)
        }

        /// Appends an attempt, for which there must be room, and starts the lookups of its hosts.
        mutating func append(_ attempt: Attempt, at now: Timestamp) {
            queue.value.append(attempt, at: now)
            let isAsked = lookUp(attempt, at: now)
            unasked = names.isPatient && !isAsked ? attempt : nil
        }

        /// Starts the lookups of the last attempt that did not fit before.
        mutating func lookUpLast() {
            if let attempt = unasked, lookUp(attempt, at: .now()) { unasked = nil }
        }

        /// Looks the hosts of an attempt up. Returns whether both lookups have begun, or are done.
        private mutating func lookUp(_ attempt: Attempt, at now: Timestamp) -> Bool {
            let source = names.lookUp(attempt.source, at: now)
            let destination = names.lookUp(attempt.destination, at: now)
            return source != nil && destination != nil
        }

        /// Receives the names that have arrived.
        mutating func receive() {
            names.receive(at: .now())
        }

        /// An attempt, and the names of its hosts, if they have any.
        struct Named {
            let attempt: Attempt
            let source: HostName?
            let destination: HostName?
        }

        /// Removes and returns the first attempt, if it need not wait any longer.
        ///
        /// - Parameter atOnce: whether it must not wait.
        mutating func next(atOnce: Bool) -> Named? {
            guard let attempt = queue.value.head, let due = queue.value.headDeadline else { return nil }
            let now = Timestamp.now()
            let source = names.lookUp(attempt.source, at: now)
            let destination = names.lookUp(attempt.destination, at: now)
            if !atOnce && (mustWait(source, now < due) || mustWait(destination, now < due)) { return nil }
            queue.value.removeHead()
            if queue.value.count == 0 { unasked = nil }  // `unasked` was the last attempt
            return Named(attempt: attempt, source: source?.known, destination: destination?.known)
        }

        /// Whether a name may still arrive, and there is time to wait for it.
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
