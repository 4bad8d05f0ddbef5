import CLinux
import ScanCore

/// The file that holds the daemon's process id and serves as its lock: one daemon per file.
///
/// It stays open while the daemon runs. It can't be removed from inside the chroot, so a daemon that ends truncates it.
///
/// Any process that can open a file can lock it, even if opened for reading. So no other user may open this one: only
/// then does a lock mean that a daemon is running.
package struct PidFile: ~Copyable {
    private let descriptor: Descriptor
    /// As given, for messages.
    package let path: CString

    /// The descriptor number.
    package var number: Int32 { descriptor.number }

    /// Opens and locks the file.
    package init(_ path: CString) throws(SystemError) {
        // The loop repeats only if another starting process has replaced the file meanwhile.
        for _ in 0..<8 {
            let descriptor = try Self.open(path)
            let status = try fileStatus(of: descriptor.number, path)
            if !status.isRegularFile { throw SystemError(path, "open", because: "not a regular file") }
            if Self.isOurs(status) {
                if try !Self.lock(descriptor, path) { throw Self.isRunning(path, Self.holder(of: descriptor)) }
                if try !Self.isAt(path, status) { continue }
                self.path = path
                self.descriptor = descriptor
                return
            }
            // An older version created it readable for all. A daemon of that version may be running.
            let canBeTrusted = status.st_uid == geteuid() && status.st_mode & 0o022 == 0
            if canBeTrusted, let holder = Self.holder(of: descriptor), try !Self.lock(descriptor, path),
                Self.exists(holder)
            {
                throw Self.isRunning(path, holder)
            }
            if let replacement = try Self.replace(path) {
                self.path = path
                self.descriptor = replacement
                return
            }
        }
        throw SystemError(path, "lock", because: "others are starting, again and again")
    }

    /// Checks whether the file can be opened or created, without changing anything: a daemon may be running.
    package static func tryPlace(_ path: CString) throws(SystemError) {
        let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        do throws(SystemError) {
            let file = Descriptor(owning: try check(path, "open") { unsafe clinux_open(path.pointer, flags, 0) })
            let status = try fileStatus(of: file.number, path)
            if !status.isRegularFile { throw SystemError(path, "open", because: "not a regular file") }
            if isOurs(status) { return }
        } catch {
            if error.code != ENOENT { throw error }
        }
        // A new file has to be created: as a replacement, or because there is none.
        let directory = Descriptor(owning: try check(path, "open") { unsafe clinux_open_directory_of(path.pointer) })
        _ = try check(path, "make") { clinux_try_new_file(directory.number) }
    }

    /// Opens or creates a file.
    private static func open(_ path: CString) throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try check(path, "open") {
                unsafe clinux_open(path.pointer, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
            })
    }

    /// Whether no other user can have opened a file, and it is not a hard link to another file of root's, created by a
    /// user who can write to the directory: a process id would overwrite its contents.
    private static func isOurs(_ status: stat) -> Bool {
        status.isRegularFile && status.st_uid == geteuid() && status.st_mode & 0o077 == 0 && status.st_nlink <= 1
    }

    /// Locks a file. Returns whether the lock was free.
    private static func lock(_ file: borrowing Descriptor, _ path: CString) throws(SystemError) -> Bool {
        let number = file.number
        do throws(SystemError) {
            _ = try check(path, "lock") { flock(number, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.code == EWOULDBLOCK { return false }
            throw error
        }
    }

    /// Whether a path still leads to a file.
    private static func isAt(_ path: CString, _ file: stat) throws(SystemError) -> Bool {
        var found = stat()
        if unsafe lstat(path.pointer, &found) < 0 {
            let error = SystemError(path, "find")
            if error.code == ENOENT { return false }
            throw error
        }
        return found.isSameFile(as: file)
    }

    /// Replaces a file that others could open by a new one, locked.
    ///
    /// The new file has a temporary name at first. Its lock decides between processes that start together.
    ///
    /// - Returns: `nil` if another process has just done so.
    private static func replace(_ path: CString) throws(SystemError) -> Descriptor? {
        let newPath = try path.followed(by: ".new")
        let descriptor = try open(newPath)
        let status = try fileStatus(of: descriptor.number, newPath)
        if !isOurs(status) { throw SystemError(newPath, "open", because: "it is there, and others can open it") }
        if try !lock(descriptor, path) { throw isRunning(path, nil) }
        if try !isAt(newPath, status) { return nil }
        var old = stat()
        if unsafe lstat(path.pointer, &old) == 0 && isOurs(old) {
            unsafe unlink(newPath.pointer)
            return nil
        }
        _ = try check(path, "replace") { unsafe rename(newPath.pointer, path.pointer) }
        return descriptor
    }

    private static func isRunning(_ path: CString, _ process: pid_t?) -> SystemError {
        guard let process else { return SystemError(path, "lock", because: "already running") }
        return SystemError(path, "lock", because: "already running as process ", process)
    }

    /// Whether there is a process with an id.
    private static func exists(_ process: pid_t) -> Bool { kill(process, 0) == 0 || clinux_errno() == EPERM }

    /// Replaces the contents by a process id.
    package func write(_ process: pid_t) throws(SystemError) {
        try empty()
        var line = LogLine()
        line.append(decimal: UInt32(clamping: process))
        line.append("\n")
        let count = line.count
        _ = unsafe try line.bytes.span.withUnsafeBufferPointer { (bytes) throws(SystemError) -> Int32 in
            try check(path, "write") { unsafe Int32(clamping: pwrite(descriptor.number, bytes.baseAddress, count, 0)) }
        }
    }

    /// Truncates the file: no daemon is running.
    package func empty() throws(SystemError) {
        _ = try check(path, "truncate") { ftruncate(descriptor.number, 0) }
    }

    /// The process id in the file, if there is one.
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

extension CString {
    /// Concatenates two texts. The memory is never freed, as errors may refer to it: to be called rarely.
    fileprivate func followed(by end: CString) throws(SystemError) -> CString {
        let (length, more) = unsafe (strlen(pointer), strlen(end.pointer) + 1)
        guard let memory = unsafe malloc(length + more) else { throw SystemError(self, "name", code: ENOMEM) }
        unsafe memcpy(memory, pointer, length)
        unsafe memcpy(memory + length, end.pointer, more)
        return unsafe CString(unsafe: memory.assumingMemoryBound(to: CChar.self))
    }
}
