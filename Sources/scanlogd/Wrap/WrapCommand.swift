#if Wrap
    import HostRules
    import ScanCore
    import System

    /// Whether the program was started under the name of tcpd(8): the first argument is the name of a service then.
    var isStartedAsTcpd: Bool { ProgramExecution.executedPath.lastComponent == "tcpd" }

    /// Runs `scanlogd wrap`: judges a connection, and becomes the service that it is for. The arguments are those of the
    /// program.
    ///
    /// Standard output and standard error are the connection as well: nothing is printed there.
    ///
    /// - Returns: the exit status: 0 if the connection was refused, or answered; 1 if the service could not be executed; 2
    ///   if the arguments are wrong.
    func runWrap(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
        do throws(SystemError) {
            // Something else would take the place of one that is closed. The service does not inherit it.
            try openStandardDescriptors()
            let options =
                unsafe isStartedAsTcpd ? try WrapOptions(tcpd: arguments) : try WrapOptions(count - 1, arguments + 1)
            if options.wantsHelp {
                try print(wrapUsage)
                return 0
            }
            guard let daemon = options.service.withBytes({ FixedName($0) }) else {
                throw SystemError(options.service, "service", because: "a name has 1 to 255 bytes")
            }
            ProgramExecution.keepOthersFromWriting()
            var session = WrapSession(options, daemon)
            return session.run()
        } catch {
            return refuse(error)
        }
    }

    /// Logs why the command line is wrong, where the administrator sees it and the client does not, and refuses the
    /// connection; returns the exit status.
    private func refuse(_ error: SystemError) -> Int32 {
        let connection = Connection(StandardStream.input)
        WrapLog("scanlogd").fail(error)
        if !connection.isSame(as: StandardStream.error) {
            warn(error.line)
            warn(LogLine("try 'scanlogd wrap --help'"))
        }
        connection.end()
        return ExitStatus.misconfigured
    }
#endif
