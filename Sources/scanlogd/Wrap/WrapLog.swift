#if Wrap
    import HostRules
    import ScanCore
    import System

    /// The lines of `scanlogd wrap`, as tcpd(8) words them where it has the same.
    struct WrapLog {
        private let log: ServiceLog
        /// The level of the next line that grants or refuses, and its facility, if a rule says `severity`.
        private var level: UInt8?
        private var facility = ServiceLog.daemonFacility
        /// The most lines about faults in one file: a file can have any number, and each connection reads it again.
        private static let mostFaults = 8
        private var faults = 0

        init(_ service: CString) {
            log = ServiceLog(service)
        }

        /// Has the line about the connection logged at another level, or facility.
        mutating func setSeverity(level: UInt8, facility: UInt8?) {
            self.level = level
            self.facility = facility.map { Int32($0) } ?? ServiceLog.daemonFacility
        }

        /// Logs that a client is connected to the service.
        func grant(_ client: RuleHost) {
            var line = LogLine("connect from ")
            line.append(client)
            log.write(line, level: level.map { Int32($0) } ?? SyslogLevel.info, facility: facility)
        }

        /// Logs that a client is not.
        func refuse(_ client: RuleHost) {
            var line = LogLine("refused connect from ")
            line.append(client)
            log.write(line, level: level.map { Int32($0) } ?? SyslogLevel.warning, facility: facility)
        }

        /// Logs that a connection is answered by a command.
        func twist(_ client: RuleHost, to command: CString) {
            var line = LogLine("twist ")
            client.nameOrAddress.withBytes { line.append(escaping: $0, limit: 255) }
            line.append(" to ")
            command.withBytes { line.append(escaping: $0, limit: 200) }
            log.write(line, level: level.map { Int32($0) } ?? SyslogLevel.warning, facility: facility)
        }

        /// Logs a line of another kind.
        func write(_ line: LogLine, level: Int32) {
            log.write(line, level: level)
        }

        /// Logs what is wrong, but does not keep the connection from being judged.
        func warn(_ error: SystemError) {
            var line = LogLine("warning: ")
            line.append(error.line)
            log.write(line, level: SyslogLevel.error)
        }

        /// Logs what refuses the connection.
        func fail(_ error: SystemError) {
            var line = LogLine("error: ")
            line.append(error.line)
            log.write(line, level: SyslogLevel.error)
        }

        /// Begins with another file.
        mutating func beginFile() {
            faults = 0
        }

        /// Logs what is wrong in a line of a rule file.
        mutating func warn(_ path: CString, line number: Int, _ kind: RuleProblem.Kind) {
            faults += 1
            if faults > Self.mostFaults + 1 { return }
            if faults > Self.mostFaults {
                return log.write(
                    place("warning: ", path, number, "there are more: try 'scanlogd rules check'"),
                    level: SyslogLevel.error)
            }
            var line = place("warning: ", path, number, "")
            line.append(LogLine(kind))
            log.write(line, level: SyslogLevel.error)
        }

        /// Logs what is wrong with a rule that decides, so that it denies.
        func fail(_ path: CString, line number: Int, _ text: LogLine) {
            var line = place("error: ", path, number, "")
            line.append(text)
            log.write(line, level: SyslogLevel.error)
        }

        /// Logs what one should know of a rule that decides.
        func note(_ path: CString, line number: Int, _ text: LogLine) {
            var line = place("", path, number, "")
            line.append(text)
            log.write(line, level: SyslogLevel.notice)
        }

        private func place(_ kind: String, _ path: CString, _ number: Int, _ text: String) -> LogLine {
            var line = LogLine(kind)
            path.withBytes { line.append(escaping: $0, limit: 128) }
            line.append(", line ")
            line.append(decimal: UInt(number))
            line.append(": ")
            line.append(text)
            return line
        }
    }

    extension LogLine {
        /// Appends a client: its name, if that is known, or its address; and its address, as tcpd of Debian does.
        fileprivate mutating func append(_ client: RuleHost) {
            client.nameOrAddress.withBytes { append(escaping: $0, limit: 255) }
            append(" (")
            client.addressText.withBytes { append(escaping: $0, limit: 64) }
            append(")")
        }
    }
#endif
