#if Connections
    import Capture
    import ScanCore
    import System

    /// Host names, which a helper process looks up (``ResolverProcess``): the caller never blocks.
    ///
    /// No name is returned before the helper has looked it up and confirmed that it resolves to the address. The
    /// helper's answers are validated again, and nothing is allocated.
    struct HostNameResolver: ~Copyable {
        private var cache: ZeroedPages<HostNameCache<512, 256>>
        /// The socket to the helper, while it runs.
        private var socket: Descriptor?

        /// Whether the caller waits as long as it takes: then no lookup is started that the helper can't make at once.
        let isPatient: Bool
        /// How long a lookup may take, in nanoseconds; where the caller waits for it, longer than the helper allows it.
        private let patience: Int64

        /// How many consecutive lookups timed out without an answer.
        private var unanswered = 0
        /// How many of them stop all lookups: otherwise the caller would wait for each, though no name will come.
        private static let mostUnanswered = 16

        /// The maximum number of answers handled at a time, so that nothing else is delayed.
        private static let batch = 256

        /// Starts the helper. If it can't start, it prints the reason on standard error, and this process exits with 1.
        ///
        /// To be called while this process runs as root, or as an ordinary user, has the host's root directory, and has
        /// not opened what the helper must not have: descriptors are closed there, but mapped memory stays.
        ///
        /// - Parameters:
        ///   - privileges: the privileges that the helper drops.
        ///   - isPatient: whether names are waited for as long as it takes.
        init(_ privileges: PrivilegeDrop, isPatient: Bool) throws(SystemError) {
            let socket = try ResolverProcess.start(privileges)
            let cache = try ZeroedPages<HostNameCache<512, 256>>("memory of host names")
            let key = try HashKey.random()  // after the fork: the helper must not have it
            patience = isPatient ? 10_000_000_000 : HostNameAnswer.patience
            cache.value.start(key: key, patience: patience)
            self.cache = cache
            self.isPatient = isPatient
            self.socket = consume socket
        }

        @inline(never)  // otherwise it would be inlined wherever a value may end
        deinit {}

        /// The descriptor that is readable when answers have arrived, or the helper has ended; -1 after that.
        var descriptor: Int32 {
            switch socket {
            case .some(let open): open.number
            case .none: -1
            }
        }

        /// Whether the helper has ended: no more names will come.
        var isGone: Bool { descriptor < 0 }

        /// Whether no more lookups are started because none is answered.
        var hasGivenUp: Bool { isPatient && unanswered >= Self.mostUnanswered }

        /// The known answer for the name of an address. If there is none, starts a lookup; `nil` if there is no room
        /// for one.
        mutating func lookUp(_ address: Address, at now: Timestamp) -> HostNameAnswer? {
            if isGone { return .noName }
            let before = cache.value.underWay
            if let answer = cache.value.find(address, at: now) {
                if cache.value.underWay < before { recordAnswer(isUnanswered: true) }
                return answer
            }
            if hasGivenUp { return .noName }
            if isPatient && cache.value.underWay >= ResolverProcess.mostLookups { return nil }
            if !cache.value.begin(address, at: now) { return nil }
            let due = Timestamp(nanoseconds: now.nanoseconds + patience)
            if ResolverMessage(address, due: due).send(to: descriptor) { return .pending }
            cache.value.cancel(address)
            return nil
        }

        private mutating func recordAnswer(isUnanswered: Bool) {
            if !hasGivenUp { unanswered = isUnanswered ? unanswered + 1 : 0 }
        }

        /// Receives the answers that have arrived.
        mutating func receive(at now: Timestamp) {
            var answer = ResolverMessage.none
            for _ in 0..<Self.batch {
                switch answer.receive(from: descriptor) {
                case .message:
                    cache.value.store(answer.name, of: answer.address, at: now)
                    recordAnswer(isUnanswered: answer.isUnanswered)
                case .nothing: return
                case .end:
                    socket = nil
                    return
                }
            }
        }
    }
#endif
