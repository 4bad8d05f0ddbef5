import CLinux
import ScanCore

/// The processes of a trap: a command that an administrator has set for a client, with a time after which it is killed
/// and all that it has started with it.
package enum TrapProcess {
    /// How long one runs, in seconds.
    package static var longest: Int64 { 30 }

    /// Has a function run beside this process, in a child of init, so that nobody has to wait for its end.
    ///
    /// - Parameters:
    ///   - slot: stays open there, as the only descriptor but /dev/null as 0 to 2.
    ///   - body: the function; what it returns is the exit status.
    package static func runBeside(_ slot: consuming Descriptor, _ body: () -> Int32) throws(SystemError) {
        let nullDevice = try openNullDevice()
        let slot = slot
        let first = try check("trap", "fork", fork)
        if first == 0 {
            let second = fork()
            if second != 0 { _exit(second < 0 ? 1 : 0) }
            closelog()
            do throws(SystemError) {
                try replaceStandardDescriptors(by: nullDevice)
            } catch {
                _exit(1)
            }
            _ = closeAllExcept(slot.number)
            _ = clinux_set_close_on_exec(STDERR_FILENO + 1)
            setsid()
            _exit(body())
        }
        var status: Int32 = 0
        // Where SIGCHLD is ignored, the kernel has collected it.
        if unsafe waitpid(first, &status, 0) == first && status != 0 {
            throw SystemError("trap", "fork", code: EAGAIN)
        }
    }

    /// Makes a connection standard input, output and error, and closes all above.
    package static func useAsStandardStreams(_ connection: Int32) {
        for number in STDIN_FILENO...STDERR_FILENO where dup2(connection, number) < 0 { _exit(126) }
        closefrom(STDERR_FILENO + 1)
    }

    /// How the command ended.
    package enum Outcome {
        case ended
        /// It was killed, as its time was over.
        case killed
        /// This process was told to end, and has killed the command.
        case stopped
    }

    /// Runs a command to its end, and kills it when its time is over, with all processes that it has started, whatever
    /// they have done to survive it.
    ///
    /// - Parameter execute: becomes the command, in a child with a session of its own; returns only if it failed.
    package static func supervise(_ execute: () -> Void) throws(SystemError) -> Outcome {
        clinux_reset_signals()
        _ = try check("trap", "adopt orphans") { clinux_adopt_orphans() }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGCHLD)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGHUP)
        _ = try check("trap", "block signals") { unsafe sigprocmask(SIG_BLOCK, &signals, nil) }
        let command = try check("trap", "fork", fork)
        if command == 0 {
            setsid()
            _ = clinux_die_with_parent()
            _ = unsafe chdir("/")
            execute()
            _exit(127)
        }
        let outcome = wait(for: &signals)
        if outcome != .ended { killAll(command) }
        return outcome
    }

    /// Waits until no child is left, for as long as a trap may run.
    private static func wait(for signals: inout sigset_t) -> Outcome {
        let due = Timestamp.fromNow(longest * 1_000_000_000)
        while true {
            if !collectEnded() { return .ended }
            let left = due.millisecondsFromNow
            if left == 0 { return .killed }
            var time = timespec(tv_sec: Int(left / 1000), tv_nsec: Int(left % 1000) * 1_000_000)
            let signal = unsafe sigtimedwait(&signals, nil, &time)
            if signal > 0 && signal != SIGCHLD { return .stopped }
        }
    }

    /// Collects the children that have ended, and returns whether any is left.
    private static func collectEnded() -> Bool {
        while true {
            let ended = waitpid(-1, nil, WNOHANG)
            if ended == 0 { return true }
            if ended < 0 && Errno.last != Errno.interrupted { return false }
        }
    }

    /// Kills the group of the command, then each process that has left it: without its parent it becomes a child of this
    /// one, and is found in the next round.
    private static func killAll(_ command: pid_t) {
        kill(-command, SIGKILL)
        let due = Timestamp.fromNow(2_000_000_000)
        while collectEnded() && due.millisecondsFromNow > 0 {
            do throws(SystemError) {
                try FileContents("/proc/thread-self/children", limit: 1 << 20).withBytes { killEach(of: $0) }
            } catch {
                // A kernel without that file: the group is all that can be found.
            }
            usleep(1000)
        }
    }

    private static func killEach(of list: Span<UInt8>) {
        var number: pid_t = 0
        for index in list.indices {
            let digit = Int32(list[index]) - 48
            if digit >= 0 && digit <= 9 && number < 100_000_000 {
                number = number * 10 + digit
            } else {
                if number > 1 { kill(number, SIGKILL) }
                number = 0
            }
        }
    }
}
