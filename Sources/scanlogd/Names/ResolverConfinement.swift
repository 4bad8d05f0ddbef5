#if Connections
    import CSeccomp
    import System

    /// Makes this process one that can look names up and do nothing else: it reads files, and connects to name servers.
    ///
    /// It keeps the root directory, where the C library's resolver has its files, and can fork: a process for each lookup.
    ///
    /// - Parameter privileges: those it gives up.
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
        try limit(.fileSize, to: 0)  // after all that may have to be told: standard error can be a file
        try install(cseccomp_confine_names)
        try replaceStandardDescriptors(by: nullDevice)
    }

    /// What a process that makes one lookup gives up as well: it can't fork, nor signal others, and it ends with the one
    /// that forked it.
    ///
    /// - Parameter filter: whether that one's system calls are filtered, which can't be asked any more.
    func confineLookup(filter: Bool) throws(SystemError) {
        try limit(.processes, to: 0)
        try endWithParent("host names")
        if filter { _ = try check("system-call filter", "install") { cseccomp_confine_lookup() } }
    }
#endif
