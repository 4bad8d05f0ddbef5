import Capture
import ScanCore
import System

/// An irreversible step of a start, to be tried in a child process. Each runs the code of a real start.
enum Trial {
    case chroot
    case boundingSet
    case group
    case user
    /// Everything that the sensor does before it receives packets.
    case sensor
    /// Everything that the logger does before it waits for the sensor.
    case logger

    /// Its name in the table.
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
    ///   - account: the user to change to.
    ///   - backend: the backend in use.
    /// - Returns: why it failed, or `nil`.
    func failure(as account: Account, _ backend: Backend) throws(SystemError) -> LogLine? {
        let ends = try makePipe("step")
        let ours = MessageChannel(owning: ends[0], peer: "step")
        let theirs = MessageChannel(owning: ends[1], peer: "step")
        guard let child = try ChildProcess.fork("step") else {
            runInChild(account, backend, over: theirs)
            CurrentProcess.exit(0)
        }
        drop(theirs)  // or the end of the child would not be noticed
        return try child.failure(on: ours)
    }

    /// Runs the step, and reports the result.
    private func runInChild(_ account: Account, _ backend: Backend, over channel: borrowing MessageChannel) {
        var word = Message(.ready)
        do throws(SystemError) {
            try perform(account, backend)
        } catch {
            word = Message(.line, text: error.line)
        }
        do throws(SystemError) { _ = try channel.send(word) } catch {}  // a missing report is noticed as well
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
