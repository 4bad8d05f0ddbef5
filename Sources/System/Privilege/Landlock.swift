import CLinux

/// What is left of the file system to a process (landlock(7)).
package enum FileSystemAccess {
    /// Nothing but what is open.
    case none
    /// What can be read, and connections over TCP, for the C library's resolver.
    case reading
    /// The files of a directory: they may be made, written to and cut off.
    case filesIn(Int32)
}

/// Takes the file system away, or some of it, where the kernel can do so: to connect to a socket is not among what it
/// forbids.
package func restrictFileSystem(to access: FileSystemAccess) throws(SystemError) {
    do throws(SystemError) {
        _ = try check("Landlock", "restrict") {
            switch access {
            case .none: clinux_landlock_all()
            case .reading: clinux_landlock_all_but_reading()
            case .filesIn(let directory): clinux_landlock_all_but_new_files(directory)
            }
        }
    } catch {
        // EPERM is what the filter of a container or a service manager says that does not know Landlock.
        if error.code != ENOSYS && error.code != EOPNOTSUPP && error.code != EPERM { throw error }
    }
}

/// The version of this kernel's Landlock, from 1.
package func landlockVersion() throws(SystemError) -> Int32 {
    try check("Landlock", "look") { clinux_landlock_version() }
}
