import CLinux

/// The signals that the process handles, as a descriptor to poll (signalfd(2)): no handler ever runs, so no call is
/// interrupted and no state is shared.
///
/// It belongs to one process: each opens its own after the fork.
package struct SignalDescriptor: ~Copyable {
    /// The request that a signal stands for.
    package enum Request {
        case stop
        case logStatus
        /// A child has ended.
        case collectChild
        /// In a test build: make a call that the sandbox forbids.
        case runTestHook
        /// Reopen files, in processes that have any.
        case reload
    }

    private let descriptor: Descriptor

    /// The descriptor to poll.
    package var number: Int32 { descriptor.number }

    /// Blocks the signals, for this process and its future children. They stay pending from here on.
    package static func block() throws(SystemError) {
        var set = SignalDescriptor.all
        // A closed standard error, or a file at its size limit, must not kill the process: write(2) reports it too.
        unsafe sigaddset(&set, SIGPIPE)
        unsafe sigaddset(&set, SIGXFSZ)
        _ = try check("signals", "block") { unsafe sigprocmask(SIG_SETMASK, &set, nil) }
    }

    /// Gives the termination signals their default action until they are blocked again: a start may have to wait for
    /// the writer of a pipe, or for a name server.
    ///
    /// - Parameter hangup: whether to include SIGHUP.
    package static func allowTermination(hangup: Bool) throws(SystemError) {
        // The init process of a container receives only signals that it catches: if blocked, they at least stay
        // pending.
        if getpid() == 1 { return }
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        if hangup { unsafe sigaddset(&set, SIGHUP) }
        _ = try check("signals", "unblock") { unsafe sigprocmask(SIG_UNBLOCK, &set, nil) }
    }

    /// Whether SIGHUP terminates the process, as it does any program without files to reopen.
    package var hangupEnds = false

    /// Makes SIGALRM interrupt blocking calls, as the half-second time limits require.
    package static func catchAlarms() throws(SystemError) {
        _ = try check("signals", "catch alarms") { clinux_catch_alarms() }
    }

    /// Whether the parent set SIGHUP to be ignored, as nohup(1) does.
    package static var hangupIsIgnored: Bool { clinux_is_ignored(SIGHUP) }

    /// Opens the descriptor.
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

    /// The next pending signal, or `nil`.
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
