import CLinux

/// A file that lines are appended to, and its directory, which is held open: it stays the same even if it or a parent
/// directory is renamed or replaced.
package struct AppendFile: ~Copyable {
    /// As given, for messages.
    package let path: CString
    /// The directory, opened with O_PATH: only for access to its entries.
    package let directory: Descriptor
    private let name: CString

    /// The flags for opening it. The system-call filter has the same flags: see Sources/CSeccomp/policy.
    package static var flags: Int32 { O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC }

    /// Opens the directory.
    package init(_ path: CString) throws(SystemError) {
        let number = try check(path, "open") { unsafe clinux_open_directory_of(path.pointer) }
        self.init(path, in: Descriptor(owning: number))
    }

    /// Takes ownership of the directory of a path.
    package init(_ path: CString, in directory: consuming Descriptor) {
        self.path = path
        self.directory = directory
        name = unsafe CString(unsafe: clinux_last_name(path.pointer))
    }

    /// The file, if it exists, only for comparison with others.
    package func find() throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return Descriptor(
                owning: try check(path, "open") {
                    unsafe clinux_open_in(directory.number, name.pointer, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
                })
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    private var notRegular: SystemError { SystemError(path, "open", because: "not a regular file") }

    /// Opens the file, or creates it with mode 0640.
    ///
    /// - Throws: if it can't be opened; also if it is not a regular file, or is a symbolic link or has a second name,
    ///   which in a directory that others can write to would be a trap for root.
    package func open() throws(SystemError) -> Descriptor {
        _ = umask(0o027)
        let file: Descriptor
        do throws(SystemError) {
            file = Descriptor(
                owning: try check(path, "open") {
                    unsafe clinux_open_in(directory.number, name.pointer, AppendFile.flags, 0o640)
                })
        } catch {
            // For a pipe without a reader, and for a socket, the error is ENXIO.
            throw error.code == ENXIO ? notRegular : error
        }
        let status = try fileStatus(of: file.number, path)
        if !status.isRegularFile { throw notRegular }
        if status.st_nlink > 1 { throw SystemError(path, "open", because: "a hard link: it has another name too") }
        return file
    }
}
