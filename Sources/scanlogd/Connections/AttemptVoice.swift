#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// How `scanlogd connections` speaks to whoever looks after it: on standard error, unless it is in the background, and
    /// through the keeper in the system log. It waits for nobody who reads.
    struct AttemptVoice: ~Copyable {
        var keeper: Keeper
        /// For what the keeper can't bring to the log: in the background, where nobody else would say it.
        let lastWord: LastWord?

        private var background: Bool {
            switch lastWord {
            case .some: true
            case .none: false
            }
        }

        /// Says what an administrator should know, here and in the log.
        @inline(never)
        mutating func note(_ line: LogLine, level: Int32) {
            if !background { offer(line) }
            keeper.log(line, level: level)
        }

        /// Says that the keeper is gone: here, or in the background in the log.
        func tellOfKeeper() {
            let line = LogLine("connections: keeper of the log: it has ended")
            switch lastWord {
            case .some(let lastWord): lastWord.say(line, level: LOG_CRIT)
            case .none: offer(line)
            }
        }

        /// Says something here only.
        @inline(never)
        func offer(_ line: LogLine) {
            var complaint = LogLine("scanlogd: ")
            complaint.append(line)
            offerError(complaint)
        }

        /// Says how many of something there were, as somebody asked: here, or in the background in the log.
        @inline(never)
        mutating func tell(_ count: UInt64, _ what: String) {
            var line = LogLine(background ? "connections: " : "")
            line.append(decimal: count)
            line.append(" ")
            line.append(what)
            if background { keeper.log(line, level: LOG_INFO) } else { offerError(line) }
        }
    }
#endif
