#if Wrap
    import HostRules
    import ScanCore
    import System

    /// The traps of one rule: what limits them, opened before an option of the rule changes the user.
    struct Trap: ~Copyable {
        let place: RuleLocation
        private var directory: TrapDirectory?
        private var failure: SystemError?

        init(_ place: RuleLocation) {
            self.place = place
        }

        /// Opens the directory, if a rule has a trap.
        mutating func open(_ options: WrapOptions, _ text: Span<UInt8>, _ range: Range<Int>) {
            guard let path = options.traps else { return }
            var list = RuleOptions(range)
            while let option = list.next(of: text) {
                if option.keyword != .spawn && option.keyword != .twist { continue }
                do throws(SystemError) {
                    directory = try TrapDirectory(path)
                } catch {
                    failure = error
                }
                return
            }
        }

        /// Whether a trap may be run for a source now.
        borrowing func admit(_ address: Address) throws(SystemError) -> TrapAdmission {
            if let failure { throw failure }
            switch directory {
            case .some(let open): return try open.admit(TrapSource(address))
            case .none: return .tooMany
            }
        }
    }

    extension WrapSession {
        /// Runs a command beside the service, or the refusal.
        mutating func spawn(_ value: Span<UInt8>, _ trap: inout Trap) throws(SystemError) {
            let command = try expanded(value, "spawn")
            guard let slot = try admit(&trap, "spawn") else { return }
            let (log, service) = (log, options.service)
            do throws(SystemError) {
                try TrapProcess.runBeside(slot) {
                    let own = WrapLog(service)
                    return runTrap(command, own) {}
                }
            } catch {
                log.warn(error)
            }
        }

        /// Has a command answer in place of the service, and returns the exit status when it has ended.
        mutating func twist(_ value: Span<UInt8>, _ trap: inout Trap) throws(SystemError) -> WrapVerdict {
            let command = try expanded(value, "twist")
            guard let slot = try admit(&trap, "twist") else { return .refused }
            command.withCString { log.twist(client, to: $0) }
            let number = connection.number
            let status = runTrap(command, log) { TrapProcess.useAsStandardStreams(number) }
            drop(slot)
            connection.end()
            return .answered(status)
        }

        /// Whether a trap may be run; `nil`: it may not, for a reason that is logged.
        ///
        /// - Throws: if the rule is wrong, which denies.
        private func admit(_ trap: inout Trap, _ option: CString) throws(SystemError) -> Descriptor? {
            if options.traps == nil {
                log.write(LogLine("trap not run (no --traps)"), level: SyslogLevel.notice)
                return nil
            }
            guard let address = client.address, connection.isStream else {
                log.write(LogLine("trap not run (no TCP connection)"), level: SyslogLevel.notice)
                return nil
            }
            if CurrentProcess.isRoot {
                throw SystemError(option, "run as root", because: "the rule must have the option user before it")
            }
            var line = LogLine("trap skipped for ")
            line.append(address)
            line.append(": ")
            do throws(SystemError) {
                switch try trap.admit(address) {
                case .admitted(let slot): return slot
                case .tooMany:
                    line.append(decimal: UInt(TrapDirectory.most))
                    line.append(" run")
                case .tooSoon: line.append("one ran less than 60 s ago")
                case .tooManySources: line.append("traps ran for too many others less than 60 s ago")
                }
                log.write(line, level: SyslogLevel.notice)
            } catch {
                log.warn(error)
            }
            return nil
        }

        /// Runs the command of a trap to its end, or that of its time, and returns the exit status.
        private func runTrap(_ command: borrowing CText, _ log: WrapLog, _ prepare: () -> Void) -> Int32 {
            do throws(SystemError) {
                let outcome = try TrapProcess.supervise {
                    prepare()
                    withEnvironment { environment in
                        command.withCString {
                            log.warn(ProgramExecution.executeShell($0, environment: environment))
                        }
                    }
                }
                if outcome == .killed {
                    var line = LogLine("trap killed for ")
                    client.addressText.withBytes { line.append(escaping: $0, limit: 64) }
                    line.append(": it took ")
                    line.append(decimal: UInt(TrapProcess.longest))
                    line.append(" s")
                    log.write(line, level: SyslogLevel.notice)
                }
                return 0
            } catch {
                log.warn(error)
                return ExitStatus.failure
            }
        }

        /// Lends the environment of a trap, of which nothing is inherited.
        private func withEnvironment(_ body: (InlineArray<4, CString>) -> Void) {
            var service = CText()
            var address = CText()
            var name = CText()
            service.append("SERVICE=")
            daemon.withBytes { service.append(cleaned: $0) }
            address.append("CLIENT_ADDR=")
            client.addressText.withBytes { address.append(cleaned: $0) }
            name.append("CLIENT_NAME=")
            client.nameText.withBytes { name.append(cleaned: $0) }
            service.withCString { service in
                address.withCString { address in
                    name.withCString { name in
                        body(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", service, address, name])
                    }
                }
            }
        }
    }

    extension CText {
        /// Appends a name as a shell can be given it.
        fileprivate mutating func append(cleaned name: Span<UInt8>) {
            for index in name.indices { append(byte: name[index].cleaned(isFirst: index == 0)) }
        }
    }
#endif
