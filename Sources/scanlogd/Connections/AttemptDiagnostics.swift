#if Connections
    import Capture
    import ScanCore
    import System

    /// The messages of `scanlogd connections`: on standard error, unless it is in the background, and in the system log
    /// through the broker. Writing them never blocks.
    struct AttemptDiagnostics: ~Copyable {
        var broker: OutputBroker
        /// For what the broker can't log: in the background, where there is no standard error.
        let directSyslog: DirectSyslog?

        private var background: Bool {
            switch directSyslog {
            case .some: true
            case .none: false
            }
        }

        /// Logs a message for the administrator, and prints it on standard error.
        mutating func log(_ line: LogLine, level: Int32) {
            if !background { print(line) }
            broker.log(line, level: level)
        }

        /// Reports that the broker has ended: on standard error, or in the background in the log.
        func reportEndOfBroker() {
            let line = LogLine("connections: broker of the log: it has ended")
            switch directSyslog {
            case .some(let directSyslog): directSyslog.log(line, level: SyslogLevel.critical)
            case .none: print(line)
            }
        }

        /// Prints a message on standard error only.
        func print(_ line: LogLine) {
            var message = LogLine("scanlogd: ")
            message.append(line)
            printErrorIfWritable(message)
        }

        /// Reports a counter, as requested: on standard error, or in the background in the log.
        mutating func report(_ count: UInt64, _ what: String) {
            var line = LogLine(background ? "connections: " : "")
            line.append(decimal: count)
            line.append(" ")
            line.append(what)
            if background { broker.log(line, level: SyslogLevel.info) } else { printErrorIfWritable(line) }
        }
    }
#endif
