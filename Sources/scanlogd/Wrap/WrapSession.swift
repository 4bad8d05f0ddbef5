#if Wrap
    import HostRules
    import ScanCore
    import System

    /// One connection on its way to the service: who it is from, what the rules say, and what becomes of it.
    struct WrapSession: ~Copyable {
        let options: WrapOptions
        var log: WrapLog
        let connection = Connection(StandardStream.input)
        let daemon: FixedName
        let clientEnd: Endpoint?
        let serverEnd: Endpoint?
        /// Whether a banner was sent, which the client is to see before a refusal.
        var hasSentBanner = false
        private var clientName = RuleHost.Name.notLookedUp
        private var serverName = RuleHost.Name.notLookedUp

        /// Finds out who is at the ends of standard input. What can't be found out is unknown, and the rules decide.
        init(_ options: WrapOptions, _ daemon: FixedName) {
            let connection = connection
            let log = WrapLog(options.service)
            self.options = options
            self.daemon = daemon
            self.log = log
            var (client, server) = (Endpoint?.none, Endpoint?.none)
            do throws(SystemError) {
                client = try connection.client()
                server = try connection.server()
            } catch {
                log.warn(error)
            }
            clientEnd = client
            serverEnd = server
        }

        /// The client as far as it is known.
        var client: RuleHost { RuleHost(address: clientEnd?.address, name: clientName) }

        /// The host that it connected to.
        var server: RuleHost { RuleHost(address: serverEnd?.address, name: serverName) }

        /// What a rule is matched against.
        func query() -> RuleQuery {
            RuleQuery(daemon: daemon, server: server, port: serverEnd?.port, client: client)
        }

        /// Looks up a name that is not known yet.
        mutating func lookUp(_ host: RuleMatcher.NamedHost) {
            switch host {
            case .client:
                guard case .notLookedUp = clientName else { return }
                clientName = client.address.map { NameLookup.name(of: $0, log) } ?? .unknown
            case .server:
                guard case .notLookedUp = serverName else { return }
                serverName = server.address.map { NameLookup.name(of: $0, log) } ?? .unknown
            }
        }

        /// Judges the connection, and then becomes the service, or ends the connection and returns the exit status.
        mutating func run() -> Int32 {
            switch connection.internetOptions {
            case .none: break
            case .sourceRoute: return refuseSourceRoute()
            case .others: ignoreInternetOptions()
            }
            if options.wantsName { lookUp(.client) }
            if options.isParanoid, case .paranoid = clientName { return refuse() }
            switch judge() {
            case .granted: return grant()
            case .refused: return refuse()
            case .answered(let status): return status
            }
        }

        private func refuseSourceRoute() -> Int32 {
            var line = LogLine("refused connect from ")
            client.nameOrAddress.withBytes { line.append(escaping: $0, limit: 255) }
            line.append(" with IP source routing options")
            log.write(line, level: SyslogLevel.warning)
            return end()
        }

        private func ignoreInternetOptions() {
            var line = LogLine("connect from ")
            client.nameOrAddress.withBytes { line.append(escaping: $0, limit: 255) }
            line.append(" with IP options (ignored)")
            log.write(line, level: SyslogLevel.notice)
            connection.clearInternetOptions()
        }

        /// Logs the connection, and becomes the service. Returns only if that fails, or if there is none.
        private func grant() -> Int32 {
            log.grant(client)
            guard let program = options.program else { return end() }
            unsafe options.arguments[0] = UnsafeMutablePointer(mutating: program.lastComponent.pointer)
            var path = CText()
            // As tcpd: a name alone is that of a program with the others for administrators.
            if !program.hasSlash { path.append("/usr/sbin/") }
            path.append(program)
            let error =
                path.isBroken
                ? SystemError(program, "execute", because: "the path is too long")
                : path.withCString { unsafe ProgramExecution.execute($0, options.arguments) }
            var line = LogLine("error: cannot execute ")
            if !program.hasSlash { line.append("/usr/sbin/") }
            program.withBytes { line.append(escaping: $0, limit: 256) }
            line.append(": ")
            line.append(error.reasonText)
            log.write(line, level: SyslogLevel.error)
            _ = end()
            return ExitStatus.failure
        }

        /// Logs that the connection is refused, and ends it; returns the exit status.
        private func refuse() -> Int32 {
            log.refuse(client)
            return end()
        }

        private func end() -> Int32 {
            if hasSentBanner { connection.endSending(until: .fromNow(2_000_000_000)) }
            connection.end()
            CurrentProcess.sleep(seconds: options.refuseDelay)
            return 0
        }
    }
#endif
