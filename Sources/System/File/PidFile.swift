import CLinux
import ScanCore

/// The file that holds the daemon's process id, and its lock: one daemon a file.
///
/// It stays open while the daemon lives. From inside the chroot it can't be removed, so a daemon that ends empties it.
///
/// Whoever can open a file can lock it, for reading too. So nobody else can open this one: only then does a lock mean
/// that a daemon runs.
package struct PidFile: ~Copyable {
    private let descriptor: Descriptor
    /// As it was given, for messages.
    package let path: CString

    /// The number the kernel knows it by.
    package var number: Int32 { descriptor.number }

    /// Opens and locks the file.
    package init(_ path: CString) throws(SystemError) {
        // Each turn but the last is one in which somebody else who starts has put a new file in the place of the old.
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
            // An older version made it so that all could read it. That one may run.
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

    /// Tries whether the file can be opened, or made, and leaves all as it is: a daemon may run.
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
        // A new one has to be made: in its place, or where nothing is yet.
        let directory = Descriptor(owning: try check(path, "open") { unsafe clinux_open_directory_of(path.pointer) })
        _ = try check(path, "make") { clinux_try_new_file(directory.number) }
    }

    /// Opens a file, or makes it.
    private static func open(_ path: CString) throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try check(path, "open") {
                unsafe clinux_open(path.pointer, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
            })
    }

    /// Whether nobody else can ever have opened a file, and it is no other one of root's under a second name, which
    /// somebody who can write to the directory has given it: a process id would be all that is left in it.
    private static func isOurs(_ status: stat) -> Bool {
        status.isRegularFile && status.st_uid == geteuid() && status.st_mode & 0o077 == 0 && status.st_nlink <= 1
    }

    /// Locks a file, and says whether nobody else has.
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

    /// Whether a file is what is still to be found at a path.
    private static func isAt(_ path: CString, _ file: stat) throws(SystemError) -> Bool {
        var found = stat()
        if unsafe lstat(path.pointer, &found) < 0 {
            let error = SystemError(path, "find")
            if error.code == ENOENT { return false }
            throw error
        }
        return found.isSameFile(as: file)
    }

    /// Puts a new file, locked, in the place of one that others could open.
    ///
    /// The new file has a name of its own first. Its lock is what those who start together agree by.
    ///
    /// - Returns: nothing if somebody else did so just now.
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

    /// Whether there is a process of a number.
    private static func exists(_ process: pid_t) -> Bool { kill(process, 0) == 0 || clinux_errno() == EPERM }

    /// Writes a process id in place of what is there.
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

    /// Leaves nothing in the file: nobody is running.
    package func empty() throws(SystemError) {
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

extension CString {
    /// This text with more behind it. The memory is never freed, for errors may name it: to be called seldom.
    fileprivate func followed(by end: CString) throws(SystemError) -> CString {
        let (length, more) = unsafe (strlen(pointer), strlen(end.pointer) + 1)
        guard let memory = unsafe malloc(length + more) else { throw SystemError(self, "name", code: ENOMEM) }
        unsafe memcpy(memory, pointer, length)
        unsafe memcpy(memory + length, end.pointer, more)
        return unsafe CString(unsafe: memory.assumingMemoryBound(to: CChar.self))
    }
}
