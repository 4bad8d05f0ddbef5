import Capture
import ScanCore
import System

/// The detector, in pages that are there as far as it uses them.
typealias DetectorMemory = ZeroedPages<Parameters.Detector>

/// One that is all zero knows nothing (tested by DetectorMemoryTests).
extension ScanDetector: Zeroable {}

extension ZeroedPages<Parameters.Detector> {
    /// A detector that knows no source yet.
    init(key: HashKey) throws(SystemError) {
        try self.init("memory of the detector")
        value.start(key: key)
    }
}
