#if Connections
    import CSeccomp
    import System

    /// Makes this process one that can do nothing but look at packets, and write to what is open.
    ///
    /// - Parameters:
    ///   - privileges: those it gives up.
    ///   - directory: what becomes its root directory, if it can.
    ///   - hasFile: its lines go to a file, which may be replaced, and not to standard output.
    func confineAttempts(
        _ privileges: PrivilegeDrop, in directory: consuming ChrootDirectory?, hasFile: Bool
    ) throws(SystemError) {
        let nullDevice = try openNullDevice()
        try replace(StandardStream.input, by: nullDevice)
        if hasFile { try replace(StandardStream.output, by: nullDevice) }
        drop(nullDevice)
        switch consume directory {
        case .some(let directory): try directory.enter()
        case .none: break
        }
        try privileges.drop()
        try forbidTracing()
        try limitDescriptors(more: hasFile ? 1 : 0)
        try SignalDescriptor.catchAlarms()
        try install(cseccomp_confine_connections)
    }
#endif
