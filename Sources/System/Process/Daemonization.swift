import CLinux

/// The way to the background: a child with a session of its own, whose parent waits until the child is ready.
///
/// Whoever ends the parent means the child: it does not outlive the parent but as a daemon that is ready.
package struct Daemonization: ~Copyable {
    /// Where the parent waits. It is closed when a child that failed, and said why, ends.
    private let toParent: Descriptor
    /// What becomes of the terminal.
    private let nullDevice: Descriptor

    /// Goes on in the child. The parent exits with 0 once the child says that it is ready. If that ends before, so does the
    /// parent, with the same exit status, and says what happened where the child could not.
    ///
    /// - Parameter name: what the child is for.
    package init(of name: CString) throws(SystemError) {
        let ends = unsafe try makePair("background", "make pipe") { unsafe pipe2($0, O_CLOEXEC) }
        let fromChild = Descriptor(owning: ends[0])
        let toParent = Descriptor(owning: ends[1])
        let requests = try EndRequests()  // before the fork: whenever one comes, somebody obeys it
        let child = try check("background", "fork", fork)
        if child > 0 {
            close(toParent.number)
            var parent = DaemonizationParent(child, name, fromChild, requests)
            try parent.run()
        }
        drop(requests)
        _ = try check("background", "start session") { setsid() }
        // Where it can't hand over a signal that ends it. A start may take long.
        _ = try check("background", "end with parent") { clinux_die_with_parent() }
        nullDevice = try openNullDevice()
        self.toParent = toParent
    }

    /// Lets go of the terminal and says that all is ready: last, when nothing else is left that can fail.
    ///
    /// - Returns: whether the parent was there to hear it. If not, somebody wants the child to end.
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

/// What the first process does while the one that is to be the daemon starts.
private struct DaemonizationParent: ~Copyable {
    private let child: pid_t
    private let name: CString
    private let fromChild: Descriptor
    private let requests: EndRequests
    /// The signal that asked for the end, 0 as long as none did.
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
        handOverRequest()  // one that came meanwhile
        if isReady && request == 0 { _exit(0) }
        let end = try ProcessEnd(of: name, waitingFor: child)  // what has failed is gone when we say so
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

/// The signals that ask a process to end, kept back to be read, but for those that whoever started it has it ignore.
private struct EndRequests: ~Copyable {
    private let descriptor: Descriptor

    /// The number to poll.
    package var number: Int32 { descriptor.number }

    package init() throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] where !clinux_is_ignored(signal) { unsafe sigaddset(&set, signal) }
        _ = try check("signals", "block") { unsafe sigprocmask(SIG_BLOCK, &set, nil) }
        descriptor = Descriptor(
            owning: try check("signals", "open") { unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    /// The next one that has come, or `nil`.
    package func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(number, &information, size) == size else { return nil }
        return Int32(bitPattern: information.ssi_signo)
    }
}

/// Ends the process as the signal would have if it had not been kept back.
private func endBySignal(_ signal: Int32) -> Never {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, signal)
    _ = kill(getpid(), signal)
    unsafe sigprocmask(SIG_UNBLOCK, &set, nil)
    _exit(128 + signal)  // the first process of a container does not die of it
}
