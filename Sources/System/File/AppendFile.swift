import CLinux

/// A file that lines are appended to, and where it is: a directory that stays the same one, whatever becomes of its
/// name and of those above it.
package struct AppendFile: ~Copyable {
    /// As it was given, for messages.
    package let path: CString
    /// The directory, of which nothing can be done with this but to reach what is in it.
    package let directory: Descriptor
    private let name: CString

    /// How it is opened: the filter of system calls knows these flags, see Sources/CSeccomp/policy.
    package static var flags: Int32 { O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC }

    /// Finds the directory.
    package init(_ path: CString) throws(SystemError) {
        let number = try check(path, "open") { unsafe clinux_open_directory_of(path.pointer) }
        self.init(path, in: Descriptor(owning: number))
    }

    /// Takes over the directory of a path.
    package init(_ path: CString, in directory: consuming Descriptor) {
        self.path = path
        self.directory = directory
        name = unsafe CString(unsafe: clinux_last_name(path.pointer))
    }

    /// The file, if there is one, to be compared with others and nothing else.
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

    /// Opens the file, or makes it with mode 0640.
    ///
    /// - Throws: why it can't be; also that it is a symbolic link or has a second name, which in a directory that others
    ///   write to would be a trap for root, or no regular file.
    package func open() throws(SystemError) -> Descriptor {
        _ = umask(0o027)
        let file: Descriptor
        do throws(SystemError) {
            file = Descriptor(
                owning: try check(path, "open") {
                    unsafe clinux_open_in(directory.number, name.pointer, AppendFile.flags, 0o640)
                })
        } catch {
            // Of a pipe that nobody reads, and of a socket, the system says that there is no such device.
            throw error.code == ENXIO ? notRegular : error
        }
        let status = try fileStatus(of: file.number, path)
        if !status.isRegularFile { throw notRegular }
        if status.st_nlink > 1 { throw SystemError(path, "open", because: "a hard link: it has another name too") }
        return file
    }
}
