#if Connections
    import Capture
    import CSeccomp
    import ScanCore
    import System

    /// Runs `scanlogd connections`: opens everything, as root for a live capture, drops all privileges, and writes a
    /// line for each attempt to connect.
    ///
    /// - Parameters:
    ///   - count: the number of arguments, of which the first is `connections`.
    ///   - arguments: the arguments.
    /// - Returns: the exit status.
    func runConnections(
        _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) throws(SystemError) -> Int32 {
        let read = try readConfiguration { () throws(SystemError) in unsafe try ConnectionsOptions(count, arguments) }
        guard let options = read else { return ExitStatus.misconfigured }
        closeInheritedDescriptors(but: options.captureFile)
        if options.wantsHelp {
            try print(connectionsUsage)
            return 0
        }
        let start = try ConnectionsStart(options)
        let source = try AttemptSource.open(options, key: start.key)
        let ready = try start.finish(source)
        return ready.run(source)
    }

    /// The resources of a start, opened as root, except for the source of packets.
    private struct ConnectionsStart: ~Copyable {
        /// Secret random numbers.
        let key: HashKey
        /// Tells the events of this run from those of others.
        private let run: UInt32

        private let options: ConnectionsOptions
        private let launch: Daemonization?
        private let privileges: PrivilegeDrop
        /// The directory to chroot into; `nil`: none.
        private let directory: ChrootDirectory?
        private let file: AppendFile?
        private let broker: OutputBroker
        private let names: AttemptNameQueue?
        private let taken: ZeroedPages<Parameters.Copies>

        /// Opens everything that needs root, or the file system.
        init(_ options: ConnectionsOptions) throws(SystemError) {
            if !CurrentProcess.isRoot && options.captureFile == nil {
                throw SystemError("packets", "check privileges", because: "only root can capture them; see --read")
            }
            let key = try HashKey.random()
            let run = try randomNumber()
            let privileges: PrivilegeDrop =
                if options.captureFile == nil {
                    .all(try Account(named: CString(Parameters.user)))
                } else { .present(ReaderPrivileges()) }
            let launch: Daemonization? = if options.background { try Daemonization(of: "reader") } else { nil }
            try SignalDescriptor.block()
            loadTimeZone()  // for the broker too: its filter kills a process in which syslog(3) opens the file
            let file: AppendFile? = if let path = options.outputFile { try AppendFile(path) } else { nil }
            // Before anything is opened that the broker must not hold.
            let broker = try OutputBroker(file, privileges)
            try SignalDescriptor.allowTermination(hangup: options.outputFile == nil)
            let names: AttemptNameQueue? =
                if options.names {
                    try AttemptNameQueue(privileges, isPatient: options.captureFile != nil)
                } else { nil }
            let taken = try ZeroedPages<Parameters.Copies>(key: key)
            directory = try privileges.openDirectory()
            self.key = key
            self.run = run
            self.privileges = privileges
            self.launch = launch
            self.file = file
            self.broker = broker
            self.names = names
            self.taken = taken
            self.options = options
        }

        /// Opens the rest, drops the privileges, and reports readiness.
        consuming func finish(_ source: borrowing AttemptSource) throws(SystemError) -> ConnectionsReady {
            let input = source.fileDescriptor
            let drops = source.makeDropReporter()
            let pidFile = try openPidFile(input)  // first: a failed start makes no output file
            let output = try LineOutput(file)
            let name = options.outputFile ?? "standard output"
            try requireAnotherFile(output.descriptor, name, .writeLines, than: input, .isCaptureFile)
            switch pidFile {
            case .some(let pidFile):
                try requireAnotherFile(output.descriptor, name, .writeLines, than: pidFile.number, .isPidFile)
            case .none: break
            }
            drop(file)
            try SignalDescriptor.block()
            var signals = try SignalDescriptor()
            // A hangup of the terminal ends the process, unless nohup(1) had it ignored.
            signals.hangupEnds = options.outputFile == nil && !SignalDescriptor.hangupIsIgnored
            let directSyslog: DirectSyslog? = options.background ? DirectSyslog() : nil
            let process = CurrentProcess.number  // afterwards even getpid(2) is forbidden
            try confineAttempts(privileges, in: directory, hasFile: options.outputFile != nil)
            do throws(SystemError) {
                try pidFile?.write(process)
                switch consume launch {
                case .some(let launch): if try !launch.finish() { _ = end(0, pidFile) }  // the parent is gone
                case .none: break
                }
            } catch {
                do throws(SystemError) { try pidFile?.empty() } catch {}  // the first error says more
                throw error
            }
            let diagnostics = AttemptDiagnostics(broker: broker, directSyslog: directSyslog)
            let sink = AttemptSink(options, output, diagnostics, names, taken, run: run)
            let session = AttemptSession(options, signals, sink, drops)
            return ConnectionsReady(session: session, pidFile: pidFile)
        }

        /// Opens the pid file, if there is to be one, once it is certain that neither the process id nor the lines
        /// overwrite another file in use.
        private func openPidFile(_ input: Int32) throws(SystemError) -> PidFile? {
            guard let path = options.pidFile else { return nil }
            do throws(SystemError) {
                // Not opened for writing: a file that others can open would be replaced.
                let found = try Descriptor(locating: path)
                try refuseOutput(as: found.number)
                try requireAnotherFile(found.number, path, .writeProcessID, than: input, .isCaptureFile)
            } catch {
                if error.code != Errno.noSuchFileOrDirectory { throw error }
            }
            return try PidFile(path)
        }

        /// Refuses to write lines into the pid file, if there is a file for them yet.
        private func refuseOutput(as pidFile: Int32) throws(SystemError) {
            switch file {
            case .some(let file):
                guard let found = try file.find() else { return }
                try requireAnotherFile(found.number, file.path, .writeLines, than: pidFile, .isPidFile)
            case .none:
                let output = StandardStream.output
                try requireAnotherFile(output, "standard output", .writeLines, than: pidFile, .isPidFile)
            }
        }
    }

    /// A finished start, except for the source of packets.
    private struct ConnectionsReady: ~Copyable {
        var session: AttemptSession
        let pidFile: PidFile?

        /// Writes lines about the packets of the source, until its end, or until a stop is requested.
        consuming func run(_ source: consuming AttemptSource) -> Int32 {
            switch consume source {
            case .file(var file): end(session.replay(&file), pidFile)
            #if Ring
                case .ring(var capture): end(session.run(&capture), pidFile)
            #endif
            case .pcap(var capture): end(session.run(&capture), pidFile)
            }
        }
    }

    /// Ends the process without closing anything: closing a capture takes system calls that the filter forbids.
    private func end(_ status: Int32, _ pidFile: borrowing PidFile?) -> Int32 {
        do throws(SystemError) {
            try pidFile?.empty()
        } catch {
            warn(error.line)
        }
        CurrentProcess.exit(status)
    }
#endif
