import ScanCore
import System

#if Rules
    import HostRules
#endif

/// All zero is the empty state (tested by TouchTableTests).
extension TouchTable: Zeroable {}

/// What sources touch in each minute, and the pace at which that is logged, in pages that are allocated only if it is
/// wanted.
struct MinuteTouches: ~Copyable {
    private let table: ZeroedPages<Parameters.Touches>
    /// What there was no room for in the log.
    private var waiting: TouchMessage?
    /// When the next ones may be logged.
    private var pauseEnd = Timestamp(nanoseconds: 0)

    /// How many messages are logged at a time, and the pause behind them in nanoseconds: reports find room between them.
    private static var batch: Int { 32 }
    private static var pause: Int64 { 20_000_000 }

    private let isPaced: Bool

    /// - Parameters:
    ///   - key: a secret key.
    ///   - isPaced: whether others wait for the log, too.
    init(key: HashKey, isPaced: Bool) throws(SystemError) {
        self.isPaced = isPaced
        table = try ZeroedPages("memory of touches")
        table.value.start(key: key)
    }

    /// When there is something to log.
    var due: Timestamp? {
        guard let due = waiting == nil ? table.value.due : pauseEnd else { return nil }
        return max(due, pauseEnd)
    }

    /// Notes a packet.
    func note(_ probe: Probe, at now: Timestamp, realTime: Int64) {
        table.value.note(probe, at: now, realTime: realTime)
    }

    /// Leaves out a source that has been reported for the rest of the minute.
    func leaveOut(_ source: Address) {
        table.value.leaveOut(source)
    }

    /// Logs what is due: at a pace, but at the exit.
    ///
    /// - Parameter exempt: the sources that are not to be logged.
    mutating func log<Log: ReportLog & ~Copyable>(
        at now: Timestamp, atExit: Bool, into log: inout Log, _ exempt: borrowing ExemptSources
    ) {
        if !atExit && now < pauseEnd { return }
        var left = isPaced && !atExit ? Self.batch : .max
        while left > 0 {
            guard let message = waiting ?? table.value.next(at: now, atExit: atExit) else { return }
            waiting = nil
            #if Rules
                if case .source(let touch) = message, exempt.verdict(for: touch.source) == .exempt { continue }
            #endif
            left -= 1
            if log.log(message) { continue }
            if atExit {
                log.countLost()
            } else {
                waiting = message
                left = 0
            }
        }
        pauseEnd = .fromNow(Self.pause)
    }
}
