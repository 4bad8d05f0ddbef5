import System

/// The sensor, seen from the process that started it. It does not outlive this value.
struct SensorProcess: ~Copyable {
    private let child: ChildProcess
    private(set) var end: ProcessEnd?

    /// Takes over a child.
    init(_ child: ChildProcess) {
        self.child = child
    }

    deinit {
        if end == nil { child.killAndWait() }
    }

    /// Notices if it has ended.
    mutating func look() {
        if end == nil { end = child.endIfOver() }
    }

    /// Waits for its end.
    mutating func waitForEnd() throws(SystemError) -> ProcessEnd {
        if let end { return end }
        let end = try child.waitForEnd()
        self.end = end
        return end
    }

    /// Ends it at once.
    func kill() {
        child.kill()
    }
}
