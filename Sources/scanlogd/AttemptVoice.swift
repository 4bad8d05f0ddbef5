#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// How `scanlogd connections` speaks to whoever looks after it: on standard error, unless it is in the background, and
    /// through the keeper in the system log. It waits for nobody who reads.
    struct AttemptVoice: ~Copyable {
        var keeper: Keeper
        let background: Bool

        /// Says what an administrator should know, here and in the log.
        @inline(never)
        func note(_ line: LogLine, level: Int32) {
            if !background { offer(line) }
            keeper.log(line, level: level)
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
        func tell(_ count: UInt64, _ what: String) {
            var line = LogLine(background ? "connections: " : "")
            line.append(decimal: count)
            line.append(" ")
            line.append(what)
            if background { keeper.log(line, level: LOG_INFO) } else { offerError(line) }
        }
    }
#endif
