import Capture
import ScanCore
import System

/// A step of a start that can't be taken back, to be tried in a child. Each is what a start calls itself.
enum Trial {
    case chroot
    case boundingSet
    case group
    case user
    /// All that the sensor does before it looks at packets.
    case sensor
    /// All that the logger does before it waits for the sensor.
    case logger

    /// What it is called in a table.
    var name: CString {
        switch self {
        case .chroot: "chroot"
        case .boundingSet: "capability bounding set"
        case .group: "change of group"
        case .user: "change of user"
        case .sensor: "sensor"
        case .logger: "logger"
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
        let ends = try makePipe("step")
        let ours = MessageChannel(owning: ends[0], peer: "step")
        let theirs = MessageChannel(owning: ends[1], peer: "step")
        guard let child = try ChildProcess.fork("step") else {
            runInChild(account, backend, over: theirs)
            CurrentProcess.exit(0)
        }
        drop(theirs)  // or its end would not be seen
        return try child.failure(on: ours)
    }

    /// Takes the step, and reports how it went.
    private func runInChild(_ account: Account, _ backend: Backend, over channel: borrowing MessageChannel) {
        var word = Message(.ready)
        do throws(SystemError) {
            try perform(account, backend)
        } catch {
            word = Message(.line, text: error.line)
        }
        do throws(SystemError) { _ = try channel.send(word) } catch {}  // that nothing is said is seen as well
    }

    private func perform(_ account: Account, _ backend: Backend) throws(SystemError) {
        switch self {
        case .chroot: try openChrootDirectory().enter()
        case .boundingSet: try emptyBoundingSet()
        case .group: try becomeGroup(of: account)
        case .user: try becomeUser(of: account)
        case .sensor:
            _ = try SignalDescriptor()
            _ = try DetectorMemory(key: try HashKey.random())
            try confineSensor(to: account, in: try openChrootDirectory(), backend)
        case .logger:
            _ = SystemLog(copyToStandardError: false)
            _ = try confineLogger(to: account)
        }
    }
}
