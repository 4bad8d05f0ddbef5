import Capture
import CLinux
import ScanCore

/// Tries a step of a start in a child, from which nothing comes back but whether it worked.
///
/// - Parameter step: the step, the very one that a start takes.
/// - Returns: why it did not work, or `nil`.
func trial(_ step: () throws(SystemError) -> Void) throws(SystemError) -> LogLine? {
    let name: ConstantText = "step"
    let ends = unsafe try makePair(name, "make pipe") { unsafe pipe2($0, O_NONBLOCK | O_CLOEXEC) }
    let ours = RecordChannel(owning: ends[0], peer: name)
    let theirs = RecordChannel(owning: ends[1], peer: name)
    let child = try check(name, "fork", fork)
    if child == 0 {
        do throws(SystemError) {
            try step()
            _ = try theirs.send(Record(.ready))
            _exit(0)
        } catch {
            do throws(SystemError) { _ = try theirs.send(Record(.line, text: error.line)) } catch {}
            _exit(1)
        }
    }
    letGo(theirs)  // or its end would not be seen
    var waiting = PollSet()
    waiting.watch(0, ours.number)
    try waiting.wait(timeout: 10_000)
    var word = Record(.stop)
    let received = try ours.receive(&word)
    if received == .nothing { _ = kill(child, SIGKILL) }
    let end = try ProcessEnd(of: name, waitingFor: child)
    switch received {
    case .record: return word.kind == .ready ? nil : word.text
    case .nothing: return SystemError(name, "start", because: "it takes too long").line
    case .end: return end.startLine
    }
}
