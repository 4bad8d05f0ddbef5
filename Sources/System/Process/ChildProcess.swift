import CLinux
import ScanCore

/// A process that we have forked. Somebody has to wait for its end, once.
package struct ChildProcess {
    /// What it is for: `sensor`, say.
    package let name: CString
    private let number: pid_t

    /// What a child has answered by the time that it should be ready.
    package enum Readiness {
        case ready
        /// Why it never will be.
        case failed(LogLine)
        /// It has not answered.
        case pending
        /// It has ended.
        case ended
    }

    /// How long a child may take until it is ready, in milliseconds.
    private static var startTime: Int32 { 10_000 }

    /// Forks (fork(2)). In the child there is nothing.
    package static func fork(_ name: CString) throws(SystemError) -> ChildProcess? {
        let number = try check(name, "fork", CLinux.fork)
        return number == 0 ? nil : ChildProcess(name: name, number: number)
    }

    /// Waits until the child is ready. If it never will be, this says why, unless the child has, and ends the process.
    ///
    /// - Parameters:
    ///   - descriptor: where it answers.
    ///   - answer: reads what it has answered.
    package func waitUntilReady(
        on descriptor: Int32, _ answer: () throws(SystemError) -> Readiness
    ) throws(SystemError) {
        let readiness = try readiness(on: descriptor, answer)
        if case .ready = readiness { return }
        let end = try waitForEnd()  // what has failed is gone when we say so
        switch readiness {
        case .pending: throw takesTooLong
        case .failed(let reason): warn(reason)
        case .ready, .ended: end.warnOfStart()
        }
        _exit(1)
    }

    /// The same over a channel of messages, where it says that it is ready, or why it never will be.
    package func waitUntilReady(on channel: borrowing MessageChannel) throws(SystemError) {
        try waitUntilReady(on: channel.number) { () throws(SystemError) in try Self.answer(from: channel) }
    }

    /// Waits for the end of a child that only says whether it could get ready: why it could not, or `nil`.
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

    /// What is wrong with a child that was pending for too long.
    package var takesTooLong: SystemError { SystemError(name, "start", because: "it takes too long") }

    /// Waits for a child's answer over a channel of messages, and kills it if none comes.
    package func readiness(on channel: borrowing MessageChannel) throws(SystemError) -> Readiness {
        try readiness(on: channel.number) { () throws(SystemError) in try Self.answer(from: channel) }
    }

    /// Waits for a child's answer, and kills it if none comes.
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

    /// Ends it at once.
    package func kill() {
        _ = CLinux.kill(number, SIGKILL)
    }

    /// Ends it at once, and waits for its end.
    package func killAndWait() {
        kill()
        _ = waitpid(number, nil, 0)
    }

    /// Waits for its end.
    package func waitForEnd() throws(SystemError) -> ProcessEnd {
        try ProcessEnd(of: name, waitingFor: number)
    }

    /// How it has ended, if it has. Not to be asked again after that.
    package func endIfOver() -> ProcessEnd? {
        var status: Int32 = 0
        return unsafe waitpid(number, &status, WNOHANG) == number ? ProcessEnd(of: name, status: status) : nil
    }
}

/// The process that this is.
package enum CurrentProcess {
    /// Its number (getpid(2)).
    package static var number: pid_t { getpid() }

    /// That of the process that started it (getppid(2)).
    package static var parent: pid_t { getppid() }

    /// Whether it is root's (geteuid(2)).
    package static var isRoot: Bool { geteuid() == 0 }

    /// Ends it with all that is open, and nothing else done (_exit(2)).
    package static func exit(_ status: Int32) -> Never { _exit(status) }

    /// Has the kernel end it after so many seconds (alarm(2)).
    package static func end(after seconds: UInt32) { alarm(seconds) }

    /// Leaves the terminal, whose signals are not meant for it (setsid(2)).
    package static func startSession(_ name: CString) throws(SystemError) {
        _ = try check(name, "start session") { setsid() }
    }

    /// Leaves the directory that it was started in, which must not be kept busy.
    package static func enterRoot() throws(SystemError) {
        _ = try check("/", "enter") { unsafe chdir("/") }
    }
}
