#if Connections
    import CSeccomp
    import System

    /// Confines this process: it can only read packets, and write to the descriptors that it has open.
    ///
    /// - Parameters:
    ///   - privileges: the privileges to drop.
    ///   - directory: the root directory to change to; `nil`: none.
    ///   - hasFile: whether lines go to a file, which may be reopened, and not to standard output.
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
