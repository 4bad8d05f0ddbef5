import CLinux

/// The signals that mean something to us, as something to poll (signalfd(2)): no handler ever runs, so nothing is
/// interrupted and nothing shared.
///
/// A process's own: each of the two opens one after the fork.
package struct SignalDescriptor: ~Copyable {
    /// What somebody wants.
    package enum Request {
        case stop
        case logStatus
        /// A child has ended.
        case collectChild
        /// Of a test build: do what the sandbox forbids.
        case runTestHook
        /// Take files anew: for who has any.
        case reload
    }

    private let descriptor: Descriptor

    /// The number to poll.
    package var number: Int32 { descriptor.number }

    /// Blocks the signals, for this process and those it will fork. They wait from here on.
    package static func block() throws(SystemError) {
        var set = SignalDescriptor.all
        // A closed standard error, or a file at its limit of size, must not end us: a write says it too.
        unsafe sigaddset(&set, SIGPIPE)
        unsafe sigaddset(&set, SIGXFSZ)
        _ = try check("signals", "block") { unsafe sigprocmask(SIG_SETMASK, &set, nil) }
    }

    /// Lets those that mean the end do what they do to any process, until they are blocked again: a start may have to
    /// wait, for who writes into a pipe, or for a name server.
    ///
    /// - Parameter hangup: whether SIGHUP is one of them.
    package static func allowTermination(hangup: Bool) throws(SystemError) {
        // The first process of a container gets none that it does not catch: blocked, it waits at least.
        if getpid() == 1 { return }
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        if hangup { unsafe sigaddset(&set, SIGHUP) }
        _ = try check("signals", "unblock") { unsafe sigprocmask(SIG_UNBLOCK, &set, nil) }
    }

    /// Whether SIGHUP means the end, as it does to any program that has no files to take anew.
    package var hangupEnds = false

    /// Has SIGALRM interrupt a call that waits, as what waits for half a second at most needs it.
    package static func catchAlarms() throws(SystemError) {
        _ = try check("signals", "catch alarms") { clinux_catch_alarms() }
    }

    /// Whether whoever started us wants no end by SIGHUP, as nohup(1) does.
    package static var hangupIsIgnored: Bool { clinux_is_ignored(SIGHUP) }

    /// Makes them readable.
    package init() throws(SystemError) {
        var set = SignalDescriptor.all
        let number = try check("signals", "open") {
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        }
        descriptor = Descriptor(owning: number)
    }

    private static var all: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD] { unsafe sigaddset(&set, signal) }
        #if TEST_HOOKS
            unsafe sigaddset(&set, SIGUSR2)
        #endif
        return set
    }

    /// The next signal that has come, or `nil`.
    package func next() -> Request? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(number, &information, size) == size else { return nil }
        switch Int32(bitPattern: information.ssi_signo) {
        case SIGTERM, SIGINT: return .stop
        case SIGUSR1: return .logStatus
        case SIGCHLD: return .collectChild
        case SIGUSR2: return .runTestHook
        default:
            if hangupEnds { return .stop }
            return .reload
        }
    }
}
