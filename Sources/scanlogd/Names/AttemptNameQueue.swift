#if Connections
    import Capture
    import ScanCore
    import System

    /// The attempts that wait for the names of their hosts, in the order they came, and whoever looks these up.
    struct AttemptNameQueue: ~Copyable {
        private var names: HostNameResolver
        private var queue: ZeroedPages<AttemptQueue>
        /// The last attempt, as long as not all its lookups have begun, though it is to wait for them.
        private var unasked: Attempt?

        /// How much room is left for what one packet may make known, where attempts are waited for. Of more than that, which
        /// takes thousands of fragments made for it, the first are written with addresses.
        private static var reserve: Int { 3_072 }

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

        /// Whether names have to come before there is room for more attempts and their lookups. Where names are not waited
        /// for, never.
        var mustWait: Bool {
            names.isPatient && (unasked != nil || queue.value.count > AttemptQueue.capacity - Self.reserve)
        }

        /// Adds an attempt, for which there must be room, and has the names of its hosts looked up.
        mutating func append(_ attempt: Attempt, at now: Timestamp) {
            queue.value.append(attempt, at: now)
            let isAsked = lookUp(attempt, at: now)
            unasked = names.isPatient && !isAsked ? attempt : nil
        }

        /// Has those names of the last attempt looked up that there was no room to look up before.
        mutating func lookUpLast() {
            if let attempt = unasked, lookUp(attempt, at: .now()) { unasked = nil }
        }

        /// Has the names of the hosts of an attempt looked up: whether both lookups have begun, or are done.
        private mutating func lookUp(_ attempt: Attempt, at now: Timestamp) -> Bool {
            let source = names.lookUp(attempt.source, at: now)
            let destination = names.lookUp(attempt.destination, at: now)
            return source != nil && destination != nil
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
            if queue.value.count == 0 { unasked = nil }  // it was that one
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
