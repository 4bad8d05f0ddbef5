#if Connections
    import CSeccomp
    import System

    /// Confines this process: it can only look names up, which takes reading files and connecting to name servers.
    ///
    /// It keeps the root directory, where the C library's resolver has its files, and can fork a process for each
    /// lookup.
    ///
    /// - Parameter privileges: the privileges to drop.
    func confineResolver(_ privileges: PrivilegeDrop) throws(SystemError) {
        let nullDevice = try openNullDevice()
        try CurrentProcess.startSession("host names")
        try CurrentProcess.enterRoot()
        try privileges.drop()
        try forbidDumps()
        try endWithParent("host names")
        try limit(.descriptors, to: 64)
        try limit(.addressSpace, to: 256 << 20)
        try restrictFileSystem(to: .reading)
        try limit(.fileSize, to: 0)  // after all possible errors: standard error can be a file
        try install(cseccomp_confine_names)
        try replaceStandardDescriptors(by: nullDevice)
    }

    /// Restricts a process that makes one lookup further: it can't fork, nor signal others, and it ends with its
    /// parent.
    ///
    /// - Parameter filter: whether the parent's system calls are filtered, which can't be queried any more.
    func confineLookup(filter: Bool) throws(SystemError) {
        try limit(.processes, to: 0)
        try endWithParent("host names")
        if filter { _ = try check("system-call filter", "install") { cseccomp_confine_lookup() } }
    }
#endif
