import Capture
import ScanCore
import System

extension LogLine {
    /// The detector's counters since the start, in one line.
    ///
    /// - Parameters:
    ///   - detector: the detector.
    ///   - lost: how many lines of the log were lost.
    init(status detector: borrowing Parameters.Detector, lost: UInt64) {
        let counters = detector.counters
        self.init("packets ")
        append(decimal: counters.packets)
        append(", probes ", counters.probes)
        append(", dropped by the kernel ", counters.droppedByKernel)
        append(", ignored ", counters.ignored)
        append(", malformed ", counters.malformed)
        append(", fragments kept ", counters.fragmentsKept)
        append(", fragments evicted ", counters.fragmentsEvicted)
        append(", sources held ", UInt64(detector.sourcesHeld))
        append(", evicted ", detector.sourcesEvicted)
        append(", reports ", counters.reports)
        #if Rules
            append(", exempt ", counters.exempt)
        #endif
        append(", suppressed ", counters.suppressed)
        if detector.settings.kinds.hasOthers {
            append(", slow memory ", UInt64(detector.memoryReach(at: .now())))
            append(" s, slow sources put out ", detector.candidatesEvicted)
        }
        append(", log lines lost ", lost)
    }

    private mutating func append(_ name: String, _ count: UInt64) {
        append(name)
        append(decimal: count)
    }
}
