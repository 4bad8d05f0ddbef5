import Capture
import CLinux
import ScanCore

/// The sensor, seen from the process that started it. It does not outlive this value.
struct SensorProcess: ~Copyable {
    private let process: pid_t
    private static var name: ConstantText { "sensor" }
    private(set) var end: ProcessEnd?

    /// Takes over a child.
    init(_ process: pid_t) {
        self.process = process
    }

    deinit {
        if end == nil { reap() }
    }

    @inline(never)  // for it would stand wherever a value may end
    private borrowing func reap() {
        kill()
        waitpid(process, nil, 0)
    }

    /// Notices if it has ended.
    mutating func look() {
        if end != nil { return }
        var status: Int32 = 0
        if unsafe waitpid(process, &status, WNOHANG) == process { end = ProcessEnd(of: Self.name, status: status) }
    }

    /// Waits for its end.
    mutating func waitForEnd() throws(SystemError) -> ProcessEnd {
        if let end { return end }
        let end = try ProcessEnd(of: Self.name, waitingFor: process)
        self.end = end
        return end
    }

    /// Ends it at once.
    func kill() {
        _ = CLinux.kill(process, SIGKILL)
    }
}
