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
package enum TrapAdmission: ~Copyable {
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
package struct TrapDirectory: ~Copyable {
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

    private let directory: Descriptor
    private let path: CString

    /// Opens it. It must not be a link, must belong to this process's user or to root, and must not be writable by
    /// anybody else: who can write to it can have traps run without limit, or none.
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
        directory = consume opened
        self.path = path
    }

    /// Decides whether a trap may be run for a source, and remembers that it is.
    package borrowing func admit(_ source: TrapSource) throws(SystemError) -> TrapAdmission {
        let sources = try open("sources")
        try lock(sources)
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

    private borrowing func open(_ name: CString) throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = Descriptor(
            owning: try check(path, "open file in it") {
                unsafe clinux_open_in(directory.number, name.pointer, flags, 0o600)
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
        for number in 0..<Self.most {
            let file = try open(Self.slotName(number))
            if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return file }
        }
        return nil
    }

    private static func slotName(_ number: Int) -> CString {
        switch number {
        case 0: "run.0"
        case 1: "run.1"
        case 2: "run.2"
        default: "run.3"
        }
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
