import Capture
import CLinux
import ScanCore

/// The detector, in pages of its own that the kernel gives when they are first written to: a quiet host needs few.
///
/// Safe: the memory is private, of the detector's size, aligned to a page, and nobody else's for as long as the process
/// lives. It is zero, and a detector that is all zero is one that knows nothing (tested by DetectorMemoryTests), so
/// nothing has to be written to it for it to be one.
@safe struct DetectorMemory: ~Copyable {
    private let detector: UnsafeMutablePointer<Parameters.Detector>

    /// A detector that knows no source yet.
    init(key: HashKey) throws(SystemError) {
        guard let memory = unsafe clinux_map_zero(MemoryLayout<Parameters.Detector>.size) else {
            throw SystemError("memory of the detector", "map")
        }
        unsafe detector = memory.bindMemory(to: Parameters.Detector.self, capacity: 1)
        unsafe detector.pointee.start(key: key)
    }

    /// The detector itself.
    var value: Parameters.Detector {
        _read { yield unsafe detector.pointee }
        _modify { yield unsafe &detector.pointee }
    }
}
