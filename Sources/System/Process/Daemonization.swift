import CLinux

/// Daemonization: a child with its own session, whose parent waits until the child is ready.
///
/// A signal that ends the parent is meant for the child: the child outlives the parent only as a daemon that is ready.
package struct Daemonization: ~Copyable {
    /// The pipe on which the parent waits. It is closed when a child that failed, and reported why, ends.
    private let toParent: Descriptor
    /// The replacement for the terminal.
    private let nullDevice: Descriptor

    /// Continues in the child. The parent exits with 0 once the child reports that it is ready. If the child ends
    /// before, the parent exits with the same status, and prints what happened if the child could not.
    ///
    /// - Parameter name: the role of the child.
    package init(of name: CString) throws(SystemError) {
        let ends = unsafe try makePair("background", "make pipe") { unsafe pipe2($0, O_CLOEXEC) }
        let fromChild = Descriptor(owning: ends[0])
        let toParent = Descriptor(owning: ends[1])
        let requests = try EndRequests()  // before the fork, so that no signal is lost
        let child = try check("background", "fork", fork)
        if child > 0 {
            close(toParent.number)
            var parent = DaemonizationParent(child, name, fromChild, requests)
            try parent.run()
        }
        drop(requests)
        _ = try check("background", "start session") { setsid() }
        // If the parent is killed by a signal that it can't forward. A start may take long.
        _ = try check("background", "end with parent") { clinux_die_with_parent() }
        nullDevice = try openNullDevice()
        self.toParent = toParent
    }

    /// Detaches from the terminal and reports readiness: last, when nothing else can fail.
    ///
    /// - Returns: whether the parent was still there. If not, the child is meant to end.
    package consuming func finish() throws(SystemError) -> Bool {
        try replaceStandardDescriptors(by: nullDevice)
        var word: UInt8 = 0
        do throws(SystemError) {
            _ = try check("background", "say so") { unsafe Int32(write(toParent.number, &word, 1)) }
            return true
        } catch {
            if error.code == EPIPE { return false }
            throw error
        }
    }
}

/// The parent process while the daemon starts.
private struct DaemonizationParent: ~Copyable {
    private let child: pid_t
    private let name: CString
    private let fromChild: Descriptor
    private let requests: EndRequests
    /// The termination signal received, 0 if there was none.
    private var request: Int32 = 0

    package init(
        _ child: pid_t, _ name: CString, _ fromChild: consuming Descriptor, _ requests: consuming EndRequests
    ) {
        self.child = child
        self.name = name
        self.fromChild = fromChild
        self.requests = requests
    }

    /// Waits until the child is ready, or has ended, and ends the process.
    package mutating func run() throws(SystemError) -> Never {
        var waiting = PollSet<2>()
        repeat {
            waiting.watch(0, fromChild.number)
            waiting.watch(1, requests.number)
            try waiting.wait(timeout: -1)
            handOverRequest()
        } while !waiting.happened(0)
        var word: UInt8 = 0
        let isReady = unsafe read(fromChild.number, &word, 1) == 1
        handOverRequest()  // one that arrived meanwhile
        if isReady && request == 0 { _exit(0) }
        let end = try ProcessEnd(of: name, waitingFor: child)  // report the failure only after the child has ended
        if request != 0 { endBySignal(request) }
        end.warnOfStart()
        _exit(end.failureStatus)
    }

    private mutating func handOverRequest() {
        guard let signal = requests.next() else { return }
        request = signal
        _ = kill(child, SIGTERM)
    }
}

/// The termination signals, blocked and read from a descriptor, except those that the parent set to be ignored.
private struct EndRequests: ~Copyable {
    private let descriptor: Descriptor

    /// The descriptor to poll.
    package var number: Int32 { descriptor.number }

    package init() throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] where !clinux_is_ignored(signal) { unsafe sigaddset(&set, signal) }
        _ = try check("signals", "block") { unsafe sigprocmask(SIG_BLOCK, &set, nil) }
        descriptor = Descriptor(
            owning: try check("signals", "open") { unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    /// The next pending signal, or `nil`.
    package func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(number, &information, size) == size else { return nil }
        return Int32(bitPattern: information.ssi_signo)
    }
}

/// Ends the process as the signal would have if it had not been blocked.
private func endBySignal(_ signal: Int32) -> Never {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, signal)
    _ = kill(getpid(), signal)
    unsafe sigprocmask(SIG_UNBLOCK, &set, nil)
    _exit(128 + signal)  // the init process of a container is not killed by it
}
