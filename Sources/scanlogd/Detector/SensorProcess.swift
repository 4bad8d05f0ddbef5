import System

/// The sensor process, as its parent handles it. It does not outlive this value.
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

    /// Reaps it if it has ended.
    mutating func reapIfEnded() {
        if end == nil { end = child.endIfOver() }
    }

    /// Waits until it is ready, or prints why its start failed.
    ///
    /// - Parameter channel: the channel that it reports on.
    mutating func isReady(on channel: borrowing MessageChannel) throws(SystemError) -> Bool {
        switch try child.readiness(on: channel) {
        case .ready: return true
        case .pending: throw child.takesTooLong
        case .failed(let reason): warn(reason)
        case .ended: try waitForEnd().warnOfStart()
        }
        return false
    }

    /// Waits for its end.
    private mutating func waitForEnd() throws(SystemError) -> ProcessEnd {
        if let end { return end }
        let end = try child.waitForEnd()
        self.end = end
        return end
    }

    /// Kills it.
    func kill() {
        child.kill()
    }
}
