import Capture
import CLinux
import ScanCore

/// A step of a start that can't be taken back, to be tried in a child. Each is what a start calls itself.
enum Trial {
    case chroot
    case boundingSet
    case group
    case user
    /// All that the sensor does before it looks at packets.
    case sensor
    /// All that the writer does before it waits for the sensor.
    case writer

    /// What it is called in a table.
    var name: ConstantText {
        switch self {
        case .chroot: "chroot"
        case .boundingSet: "capability bounding set"
        case .group: "change of group"
        case .user: "change of user"
        case .sensor: "sensor"
        case .writer: "writer"
        }
    }

    /// Tries it.
    ///
    /// - Parameters:
    ///   - account: the user it becomes.
    ///   - backend: what packets are taken with.
    /// - Returns: why it did not work, or `nil`.
    @inline(never)
    func failure(as account: Account, _ backend: Backend) throws(SystemError) -> LogLine? {
        let ends = unsafe try makePair("step", "make pipe") { unsafe pipe2($0, O_NONBLOCK | O_CLOEXEC) }
        let ours = RecordChannel(owning: ends[0], peer: "step")
        let theirs = RecordChannel(owning: ends[1], peer: "step")
        let child = try check("step", "fork", fork)
        if child == 0 {
            tell(account, backend, over: theirs)
            _exit(0)
        }
        letGo(theirs)  // or its end would not be seen
        var waiting = PollSet()
        waiting.watch(0, ours.number)
        try waiting.wait(timeout: 10_000)
        var word = Record(.stop)
        let received = try ours.receive(&word)
        if received == .nothing { _ = kill(child, SIGKILL) }
        let end = try ProcessEnd(of: "step", waitingFor: child)
        switch received {
        case .record: return word.kind == .ready ? nil : word.text
        case .nothing: return SystemError("step", "start", because: "it takes too long").line
        case .end: return end.startLine
        }
    }

    /// Takes the step, and says how it went.
    private func tell(_ account: Account, _ backend: Backend, over channel: borrowing RecordChannel) {
        var word = Record(.ready)
        do throws(SystemError) {
            try take(account, backend)
        } catch {
            word = Record(.line, text: error.line)
        }
        do throws(SystemError) { _ = try channel.send(word) } catch {}  // that nothing is said is seen as well
    }

    private func take(_ account: Account, _ backend: Backend) throws(SystemError) {
        switch self {
        case .chroot: try openChrootDirectory().enter()
        case .boundingSet: try emptyBoundingSet()
        case .group: try becomeGroup(of: account)
        case .user: try becomeUser(of: account)
        case .sensor:
            _ = try Signals()
            _ = try DetectorMemory(key: try HashKey.random())
            try confineSensor(to: account, in: try openChrootDirectory(), backend)
        case .writer:
            _ = SystemLog(copyToStandardError: false)
            _ = try confineWriter(to: account)
        }
    }
}

/// The directory that the daemon locks itself into.
func openChrootDirectory() throws(SystemError) -> ChrootDirectory {
    try ChrootDirectory(ConstantText(Parameters.chrootDirectory))
}
