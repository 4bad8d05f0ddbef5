import Capture
import CLinux
import ScanCore

/// The file that holds the daemon's process id, and its lock: one daemon a file.
///
/// It stays open while the daemon lives. From inside the chroot it can't be removed, so a daemon that ends empties it.
struct PidFile: ~Copyable {
    private let descriptor: Descriptor
    /// As it was given, for messages.
    let path: ConstantText

    /// The number the kernel knows it by.
    var number: Int32 { descriptor.number }

    /// Opens and locks the file.
    init(_ path: ConstantText) throws(SystemError) {
        let number = try check(path, "open") {
            unsafe clinux_open(path.pointer, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o644)
        }
        let descriptor = Descriptor(owning: number)
        do throws(SystemError) {
            _ = try check(path, "lock") { flock(number, LOCK_EX | LOCK_NB) }
        } catch {
            if error.code != EWOULDBLOCK { throw error }
            if let process = PidFile.holder(of: descriptor) {
                throw SystemError(path, "lock", because: "already running as process ", process)
            }
            throw SystemError(path, "lock", because: "already running")
        }
        self.path = path
        self.descriptor = descriptor
    }

    /// Writes a process id in place of what is there.
    func write(_ process: pid_t) throws(SystemError) {
        try empty()
        var line = LogLine()
        line.append(decimal: UInt32(clamping: process))
        line.append("\n")
        let count = line.count
        _ = unsafe try line.bytes.span.withUnsafeBufferPointer { (bytes) throws(SystemError) -> Int32 in
            try check(path, "write") { unsafe Int32(clamping: pwrite(descriptor.number, bytes.baseAddress, count, 0)) }
        }
    }

    /// Leaves nothing in the file: nobody is running.
    func empty() throws(SystemError) {
        _ = try check(path, "truncate") { ftruncate(descriptor.number, 0) }
    }

    /// The process that the file names, if it does.
    private static func holder(of descriptor: borrowing Descriptor) -> pid_t? {
        var text = InlineArray<10, UInt8>(repeating: 0)
        var bytes = text.mutableSpan
        let length = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe pread(descriptor.number, buffer.baseAddress, buffer.count, 0)
        }
        var process = 0
        for index in 0..<max(length, 0) {
            guard let digit = UInt8(exactly: Int(text[index]) - 48), digit <= 9 else { break }
            process = process * 10 + Int(digit)
        }
        return process > 0 ? pid_t(clamping: process) : nil
    }
}
