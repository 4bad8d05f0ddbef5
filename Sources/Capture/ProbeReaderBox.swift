import ScanCore
import System

extension Box<ProbeReader> {
    /// A reader without any fragments.
    package init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
        try self.init(zeroed: "memory for fragments")
        unsafe memory.pointee.start(key: key, takesCutHeaders: selection.takesCutHeaders)
    }
}
