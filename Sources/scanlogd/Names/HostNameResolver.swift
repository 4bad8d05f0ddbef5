#if Connections
    import Capture
    import ScanCore
    import System

    /// The names of hosts, which a helper process looks up (``ResolverProcess``): whoever asks here never waits for it.
    ///
    /// No name is told before the helper has looked it up and found that it has the address. What the helper says is
    /// checked again, and nothing is allocated.
    struct HostNameResolver: ~Copyable {
        private var cache: ZeroedPages<HostNameCache<512, 256>>
        /// The way to the helper, while there is one.
        private var socket: Descriptor?

        /// Whether whoever asks can wait: then no lookup is begun that the helper can't make at once.
        let isPatient: Bool
        /// How long a lookup may take, in nanoseconds; one that is waited for, longer than the helper lets it.
        private let patience: Int64

        /// How many lookups one after the other nobody has answered in their time.
        private var unanswered = 0
        /// How many are enough to begin no more: else each lookup would be waited for, though no name will come.
        private static let mostUnanswered = 16

        /// The most answers taken at a time, so that nothing else is kept waiting.
        private static let batch = 256

        /// Starts the helper. It says why on standard error if it can't start; then this process ends, with 1.
        ///
        /// To be called while this process is root's, or an ordinary user's, has the host's root directory, and has not
        /// opened what the helper must not have: descriptors are closed there, but memory that is mapped stays.
        ///
        /// - Parameters:
        ///   - privileges: those that the helper gives up.
        ///   - isPatient: whether names are waited for as long as it takes.
        init(_ privileges: PrivilegeDrop, isPatient: Bool) throws(SystemError) {
            let socket = try ResolverProcess.start(privileges)
            let cache = try ZeroedPages<HostNameCache<512, 256>>("memory of host names")
            let key = try HashKey.random()  // after the fork: the helper is not to know it
            patience = isPatient ? 10_000_000_000 : HostNameAnswer.patience
            cache.value.start(key: key, patience: patience)
            self.cache = cache
            self.isPatient = isPatient
            self.socket = consume socket
        }

        @inline(never)  // for it would stand wherever a value may end
        deinit {}

        /// What can be read when answers have come, or the helper is gone; -1 once it is.
        var descriptor: Int32 {
            switch socket {
            case .some(let open): open.number
            case .none: -1
            }
        }

        /// Whether the helper has ended: there are no names any more.
        var isGone: Bool { descriptor < 0 }

        /// Whether no lookup is begun any more, for nobody answers.
        var hasGivenUp: Bool { isPatient && unanswered >= Self.mostUnanswered }

        /// What is known of the name of an address. If nothing is, a lookup begins, if there is room for one; else `nil`.
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

        /// Takes the answers that have come.
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
