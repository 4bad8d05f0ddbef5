import Capture
import ScanCore
import System

/// The detector, in memory pages that are allocated as it uses them.
typealias DetectorMemory = ZeroedPages<Parameters.Detector>

/// All zero is the empty state (tested by DetectorMemoryTests).
extension ScanDetector: Zeroable {}

extension ZeroedPages<Parameters.Detector> {
    /// A detector without any sources.
    init(key: HashKey, _ settings: KindSettings = KindSettings()) throws(SystemError) {
        try self.init("memory of the detector")
        value.start(key: key)
        value.detect(settings)
    }
}
