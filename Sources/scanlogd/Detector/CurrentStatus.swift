import Capture
import ScanCore
import System

extension StatusCounts {
    /// The detector's counters since the start.
    ///
    /// - Parameters:
    ///   - detector: the detector.
    ///   - lost: how many lines of the log were lost.
    init(of detector: borrowing Parameters.Detector, lost: UInt64) {
        self.init()
        counters = detector.counters
        sourcesHeld = UInt64(detector.sourcesHeld)
        sourcesEvicted = detector.sourcesEvicted
        #if Rules
            hasExempt = true
        #endif
        hasOthers = detector.settings.kinds.hasOthers
        if hasOthers {
            slowMemory = UInt64(detector.memoryReach(at: .now()))
            slowEvicted = detector.candidatesEvicted
        }
        self.lost = lost
    }
}
