import Capture
import CLinux

/// The signals that mean something to us, as something to poll (signalfd(2)): no handler ever runs, so nothing is
/// interrupted and nothing shared.
struct Signals: ~Copyable {
    /// What somebody wants.
    enum Request {
        case stop
        /// Nothing: SIGHUP and SIGUSR1 are harmless.
        case ignore
    }

    private let descriptor: Descriptor

    /// Blocks the signals, and makes them readable. They wait for the loop from here on.
    init() throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1] { unsafe sigaddset(&set, signal) }
        let number = try check("signals", "open") {
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        }
        unsafe sigaddset(&set, SIGPIPE)  // a closed standard error must not end us: a write says it too
        _ = try check("signals", "block") { unsafe sigprocmask(SIG_SETMASK, &set, nil) }
        descriptor = Descriptor(owning: number)
    }

    /// Waits until a signal comes, another descriptor is readable or time is over.
    ///
    /// - Parameters:
    ///   - other: the other descriptor, or -1 for none.
    ///   - timeout: in milliseconds, or -1 for ever.
    func wait(or other: Int32, timeout: Int32) throws(SystemError) {
        var waiting: InlineArray<2, pollfd> = [
            pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        var span = waiting.mutableSpan
        _ = try check("descriptors", "poll") {
            unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, timeout) }
        }
    }

    /// The next signal that has come, or `nil`.
    func next() -> Request? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor.number, &information, size) == size else { return nil }
        switch Int32(bitPattern: information.ssi_signo) {
        case SIGTERM, SIGINT: return .stop
        default: return .ignore
        }
    }
}
