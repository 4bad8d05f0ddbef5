#if Pcap
    import Capture
    import ScanCore
    import System

    /// What is said of packets that the kernel dropped: now and then, as long as packets come.
    struct DropReporter {
        private var drops: DropCounter
        /// How many there were since the start, when this was last asked.
        private(set) var count: UInt64 = 0
        private var told: UInt64 = 0
        /// When to look again; `nil` when no packet came since this was last done.
        private(set) var due: Timestamp?

        /// How often it may be said, in nanoseconds.
        private static var interval: Int64 { 60_000_000_000 }

        init(_ drops: DropCounter) {
            self.drops = drops
        }

        /// Asks how many there were.
        mutating func update() throws(SystemError) {
            count = try drops.update()
        }

        /// Takes note that packets come, or would if we took them.
        mutating func expect() {
            if due == nil { due = .fromNow(Self.interval) }
        }

        /// What there is to say of those that were lost since this was last said, if any were.
        mutating func next() throws(SystemError) -> LogLine? {
            due = nil
            try update()
            if count == told { return nil }
            var line = LogLine("connections: ")
            line.append(decimal: count &- told)
            line.append(" packets dropped by the kernel: more came than could be received")
            told = count
            return line
        }
    }
#endif
