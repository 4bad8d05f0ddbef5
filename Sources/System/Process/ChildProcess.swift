import CLinux
import ScanCore

/// A forked child process. Its parent must wait for its end exactly once.
package struct ChildProcess {
    /// Its role: for example `sensor`.
    package let name: CString
    private let number: pid_t

    /// The state of a child when its startup time is over.
    package enum Readiness {
        case ready
        /// It failed, for this reason.
        case failed(LogLine)
        /// It has not reported yet.
        case pending
        /// It has ended.
        case ended
    }

    /// The startup time of a child, in milliseconds.
    private static var startTime: Int32 { 10_000 }

    /// Forks (fork(2)). Returns `nil` in the child.
    package static func fork(_ name: CString) throws(SystemError) -> ChildProcess? {
        let number = try check(name, "fork", CLinux.fork)
        return number == 0 ? nil : ChildProcess(name: name, number: number)
    }

    /// Waits until the child is ready. If it fails, this prints the reason, unless the child has, and ends the process.
    ///
    /// - Parameters:
    ///   - descriptor: the descriptor that it reports on.
    ///   - answer: reads its report.
    package func waitUntilReady(
        on descriptor: Int32, _ answer: () throws(SystemError) -> Readiness
    ) throws(SystemError) {
        let readiness = try readiness(on: descriptor, answer)
        if case .ready = readiness { return }
        let end = try waitForEnd()  // report the failure only after the child has ended
        switch readiness {
        case .pending: throw takesTooLong
        case .failed(let reason): warn(reason)
        case .ready, .ended: end.warnOfStart()
        }
        _exit(1)
    }

    /// The same over a message channel, on which the child reports that it is ready, or why it failed.
    package func waitUntilReady(on channel: borrowing MessageChannel) throws(SystemError) {
        try waitUntilReady(on: channel.number) { () throws(SystemError) in try Self.answer(from: channel) }
    }

    /// Waits for the end of a child that only reports whether it could start: the reason why it could not, or `nil`.
    package func failure(on channel: borrowing MessageChannel) throws(SystemError) -> LogLine? {
        let readiness = try readiness(on: channel)
        let end = try waitForEnd()
        switch readiness {
        case .ready: return nil
        case .failed(let reason): return reason
        case .pending: return takesTooLong.line
        case .ended: return end.startLine
        }
    }

    /// The error for a child that was pending for too long.
    package var takesTooLong: SystemError { SystemError(name, "start", because: "it takes too long") }

    /// Waits for a child's report over a message channel, and kills the child if none arrives.
    package func readiness(on channel: borrowing MessageChannel) throws(SystemError) -> Readiness {
        try readiness(on: channel.number) { () throws(SystemError) in try Self.answer(from: channel) }
    }

    /// Waits for a child's report, and kills the child if none arrives.
    private func readiness(
        on descriptor: Int32, _ answer: () throws(SystemError) -> Readiness
    ) throws(SystemError) -> Readiness {
        var waiting = PollSet<1>()
        waiting.watch(0, descriptor)
        try waiting.wait(timeout: Self.startTime)
        let readiness = try answer()
        if case .pending = readiness { kill() }
        return readiness
    }

    private static func answer(from channel: borrowing MessageChannel) throws(SystemError) -> Readiness {
        var message = Message(.stop)
        switch try channel.receive(&message) {
        case .message: return message.kind == .ready ? .ready : .failed(message.text)
        case .nothing: return .pending
        case .end: return .ended
        }
    }

    /// Kills it.
    package func kill() {
        _ = CLinux.kill(number, SIGKILL)
    }

    /// Kills it, and waits for its end.
    package func killAndWait() {
        kill()
        _ = waitpid(number, nil, 0)
    }

    /// Waits for its end.
    package func waitForEnd() throws(SystemError) -> ProcessEnd {
        try ProcessEnd(of: name, waitingFor: number)
    }

    /// How it ended, or `nil` if it is running. Must not be called again after a result.
    package func endIfOver() -> ProcessEnd? {
        var status: Int32 = 0
        return unsafe waitpid(number, &status, WNOHANG) == number ? ProcessEnd(of: name, status: status) : nil
    }
}

/// The current process.
package enum CurrentProcess {
    /// Its process id (getpid(2)).
    package static var number: pid_t { getpid() }

    /// The process id of its parent (getppid(2)).
    package static var parent: pid_t { getppid() }

    /// Whether it is root's (geteuid(2)).
    package static var isRoot: Bool { geteuid() == 0 }

    /// Ends it without any cleanup (_exit(2)).
    package static func exit(_ status: Int32) -> Never { _exit(status) }

    /// Waits for a number of seconds (sleep(3)).
    package static func sleep(seconds: UInt32) {
        var left = seconds
        while left > 0 { left = CLinux.sleep(left) }
    }

    /// Gives every signal its default action.
    package static func resetSignals() { clinux_reset_signals() }

    /// Makes the kernel end it after a number of seconds (alarm(2)).
    package static func end(after seconds: UInt32) { alarm(seconds) }

    /// Detaches from the terminal, so as not to receive its signals (setsid(2)).
    package static func startSession(_ name: CString) throws(SystemError) {
        _ = try check(name, "start session") { setsid() }
    }

    /// Changes the working directory to the root, so that the original one is not kept in use.
    package static func enterRoot() throws(SystemError) {
        _ = try check("/", "enter") { unsafe chdir("/") }
    }
}
