#if Connections
    import ScanCore
    import System

    /// The dates of lines, as text. The text of a second is cached: many lines have the same one.
    struct AttemptDate {
        private let format: ConnectionsOptions.DateFormat
        private var text = LogLine()
        private var second: Int64?

        init(_ format: ConnectionsOptions.DateFormat) {
            self.format = format
        }

        /// The date of a time in nanoseconds since 1970 UTC.
        mutating func text(of realTime: Int64) -> LogLine {
            if format == .epoch {
                var line = LogLine()
                line.append(epoch: realTime)
                return line
            }
            let (quotient, rest) = realTime.quotientAndRemainder(dividingBy: 1_000_000_000)
            let second = rest < 0 ? quotient - 1 : quotient
            if self.second != second {
                self.second = second
                text = LogLine()
                text.append(CalendarTime(local: second))
            }
            return text
        }
    }
#endif
