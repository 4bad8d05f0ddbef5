import CLinux
import ScanCore

/// The source that a trap is run for: an IPv4 address, or the first 64 bits of an IPv6 one, as a host may have all
/// addresses that begin so.
package struct TrapSource: Equatable {
    /// The bits that count, and 4 or 6.
    fileprivate let bits: UInt64
    fileprivate let version: UInt64

    package init(_ address: Address) {
        bits = address.isIPv4 ? address.low : address.high
        version = address.isIPv4 ? 4 : 6
    }
}

/// Whether a trap may be run.
@usableFromInline package enum TrapAdmission: ~Copyable {
    /// It may, for as long as the descriptor is open: whoever has it ends the trap when its time is over.
    case admitted(Descriptor)
    /// As many as may run do.
    case tooMany
    /// One ran for the same source not long ago.
    case tooSoon
    /// As many other sources as can be remembered had one not long ago.
    case tooManySources
}

/// A directory that holds what traps are limited by: five files of fixed size.
///
/// `run.0` to `run.3` are locked by those that run (flock(2)): the kernel unlocks them when their processes end, however
/// that happens. `sources` lists for whom traps have run in the last minute. Any bytes may be in it, as a crash may leave
/// them: they can only keep a source from having a trap, for a minute.
@usableFromInline package struct TrapDirectory: ~Copyable {
    /// How many traps run at a time.
    package static var most: Int { 4 }
    /// How long after a trap its source has none, in nanoseconds.
    package static var pause: Int64 { 60_000_000_000 }
    /// How many sources are remembered.
    private static var sourceLimit: Int { 512 }
    /// A source in the file: its bits, its version, and when its trap ran, in the byte order of this machine.
    private struct Entry: BitwiseCopyable {
        var bits: UInt64 = 0
        var version: UInt64 = 0
        var time: Int64 = 0
    }

    @usableFromInline let path: CString
    @usableFromInline let sources: Descriptor
    @usableFromInline let first: Descriptor
    @usableFromInline let second: Descriptor
    @usableFromInline let third: Descriptor
    @usableFromInline let fourth: Descriptor

    /// Opens it, and its files, which are made if need be: afterwards the process may change its user.
    ///
    /// It must not be a link, must belong to this process's user or to root, and must not be writable by anybody else: who
    /// can write to it can have traps run without limit, or none.
    package init(_ path: CString) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let opened = Descriptor(owning: try check(path, "open") { unsafe clinux_open(path.pointer, flags, 0) })
        let status = try fileStatus(of: opened.number, path)
        if status.st_uid != geteuid() && status.st_uid != 0 {
            throw SystemError(path, "use for traps", because: "it belongs to another user")
        }
        if status.st_mode & 0o022 != 0 {
            throw SystemError(path, "use for traps", because: "others may write to it")
        }
        let sources = try Self.open("sources", in: opened, path)
        let first = try Self.open("run.0", in: opened, path)
        let second = try Self.open("run.1", in: opened, path)
        let third = try Self.open("run.2", in: opened, path)
        let fourth = try Self.open("run.3", in: opened, path)
        self.path = path
        self.sources = consume sources
        self.first = consume first
        self.second = consume second
        self.third = consume third
        self.fourth = consume fourth
    }

    /// Decides whether a trap may be run for a source, and remembers that it is.
    package borrowing func admit(_ source: TrapSource) throws(SystemError) -> TrapAdmission {
        try lock(sources)
        defer { flock(sources.number, LOCK_UN) }
        let now = Timestamp.now().nanoseconds
        var entries = InlineArray<512, Entry>(repeating: Entry())
        try read(&entries, from: sources)
        var free: Int?
        for index in entries.indices {
            let entry = entries[index]
            let isRecent = entry.version != 0 && entry.time <= now && now - entry.time < Self.pause
            if !isRecent {
                free = free ?? index
            } else if entry.bits == source.bits && entry.version == source.version {
                return .tooSoon
            }
        }
        guard let free else { return .tooManySources }
        guard let slot = try freeSlot() else { return .tooMany }
        try write(Entry(bits: source.bits, version: source.version, time: now), at: free, to: sources)
        return .admitted(slot)
    }

    private static func open(
        _ name: CString, in directory: borrowing Descriptor, _ path: CString
    ) throws(SystemError) -> Descriptor {
        let directory = directory.number
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = Descriptor(
            owning: try check(path, "open file in it") {
                unsafe clinux_open_in(directory, name.pointer, flags, 0o600)
            })
        if !(try fileStatus(of: file.number, path).isRegularFile) {
            throw SystemError(path, "open file in it", because: "not a regular file")
        }
        return file
    }

    /// Locks the list of sources. Others hold it for the time of a few system calls.
    private borrowing func lock(_ file: borrowing Descriptor) throws(SystemError) {
        for _ in 0..<100 {
            if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return }
            if Errno.last != Errno.wouldBlock && Errno.last != Errno.interrupted { break }
            usleep(10_000)
        }
        throw SystemError(path, "lock file in it")
    }

    private borrowing func freeSlot() throws(SystemError) -> Descriptor? {
        let slots: InlineArray<4, Int32> = [first.number, second.number, third.number, fourth.number]
        for index in slots.indices where flock(slots[index], LOCK_EX | LOCK_NB) == 0 {
            // The lock is that of the open file, and lasts as long as the last descriptor of it.
            let slot = Descriptor(owning: try check(path, "duplicate file in it") { dup(slots[index]) })
            _ = try check(path, "duplicate file in it") { clinux_set_close_on_exec(slot.number) }
            return slot
        }
        return nil
    }

    private borrowing func read(
        _ entries: inout InlineArray<512, Entry>, from file: borrowing Descriptor
    ) throws(SystemError) {
        var span = entries.mutableSpan
        let number = file.number
        _ = try check(path, "read file in it") {
            unsafe span.withUnsafeMutableBytes { unsafe Int32(pread(number, $0.baseAddress, $0.count, 0)) }
        }
    }

    private borrowing func write(
        _ entry: Entry, at index: Int, to file: borrowing Descriptor
    ) throws(SystemError) {
        var entry = entry
        let number = file.number
        let size = MemoryLayout<Entry>.size
        let written = try check(path, "write file in it") {
            unsafe Int32(pwrite(number, &entry, size, index * size))
        }
        if Int(written) != size { throw SystemError(path, "write file in it", because: "no room") }
    }
}
