#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// The names of hosts, which a helper process looks up (``NameService``): whoever asks here never waits for it.
    ///
    /// No name is told before the helper has looked it up and found that it has the address. What the helper says is
    /// checked again, and nothing is allocated.
    struct HostNames: ~Copyable {
        private var cache: ZeroedPages<NameCache<512, 256>>
        /// The way to the helper, while there is one.
        private var socket: Descriptor?

        /// The most answers taken at a time, so that nothing else is kept waiting.
        private static let batch = 256

        /// Starts the helper. It says why on standard error if it can't start; then this process ends, with 1.
        ///
        /// To be called while this process is root's, or an ordinary user's, has the host's root directory, and has not
        /// opened what the helper must not have: descriptors are closed there, but memory that is mapped stays.
        ///
        /// - Parameter account: the user that the helper becomes; `nil` if this process is not root's.
        init(account: Account?) throws(SystemError) {
            let socket = try NameService.start(as: account)
            let cache = try ZeroedPages<NameCache<512, 256>>("memory of host names")
            cache.value.start(key: try HashKey.random())  // after the fork: the helper is not to know it
            self.cache = cache
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

        /// The name of an address, if it is known. If nothing is known of it, a lookup begins, if there is room for one.
        mutating func lookUp(_ address: Address, at now: Timestamp) -> NameAnswer {
            if isGone { return .noName }
            if let answer = cache.value.find(address, at: now) { return answer }
            if !cache.value.begin(address, at: now) { return .noName }
            if NameMessage(address, at: now).send(to: descriptor) { return .pending }
            cache.value.forget(address)
            return .noName
        }

        /// Takes the answers that have come.
        mutating func receive(at now: Timestamp) {
            var answer = NameMessage.none
            for _ in 0..<Self.batch {
                switch answer.receive(from: descriptor) {
                case .message: cache.value.take(answer.name, of: answer.address, at: now)
                case .nothing: return
                case .end:
                    socket = nil
                    return
                }
            }
        }
    }
#endif
