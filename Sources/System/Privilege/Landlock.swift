import CLinux

/// The file system access that a process keeps (landlock(7)).
package enum FileSystemAccess {
    /// None, except through open descriptors.
    case none
    /// Reading, and outgoing TCP connections, for the C library's resolver.
    case reading
    /// Creating, writing and truncating files in a directory.
    case filesIn(Int32)
}

/// Restricts file system access, if the kernel supports it. Landlock does not restrict connecting to a Unix socket with
/// a path.
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
        // EPERM is returned by the seccomp filter of a container or a service manager that does not know Landlock.
        if error.code != ENOSYS && error.code != EOPNOTSUPP && error.code != EPERM { throw error }
    }
}

/// The kernel's Landlock ABI version, from 1.
package func landlockVersion() throws(SystemError) -> Int32 {
    try check("Landlock", "look") { clinux_landlock_version() }
}
