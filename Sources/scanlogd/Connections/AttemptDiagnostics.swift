#if Pcap
    import Capture
    import ScanCore
    import System

    /// How `scanlogd connections` speaks to whoever looks after it: on standard error, unless it is in the background, and
    /// through the broker in the system log. It waits for nobody who reads.
    struct AttemptDiagnostics: ~Copyable {
        var broker: OutputBroker
        /// For what the broker can't bring to the log: in the background, where nobody else would say it.
        let directSyslog: DirectSyslog?

        private var background: Bool {
            switch directSyslog {
            case .some: true
            case .none: false
            }
        }

        /// Says what an administrator should know, here and in the log.
        @inline(never)
        mutating func note(_ line: LogLine, level: Int32) {
            if !background { offer(line) }
            broker.log(line, level: level)
        }

        /// Says that the broker is gone: here, or in the background in the log.
        func tellOfBroker() {
            let line = LogLine("connections: broker of the log: it has ended")
            switch directSyslog {
            case .some(let directSyslog): directSyslog.log(line, level: SyslogLevel.critical)
            case .none: offer(line)
            }
        }

        /// Says something here only.
        @inline(never)
        func offer(_ line: LogLine) {
            var complaint = LogLine("scanlogd: ")
            complaint.append(line)
            printErrorIfWritable(complaint)
        }

        /// Says how many of something there were, as somebody asked: here, or in the background in the log.
        @inline(never)
        mutating func tell(_ count: UInt64, _ what: String) {
            var line = LogLine(background ? "connections: " : "")
            line.append(decimal: count)
            line.append(" ")
            line.append(what)
            if background { broker.log(line, level: SyslogLevel.info) } else { printErrorIfWritable(line) }
        }
    }
#endif
