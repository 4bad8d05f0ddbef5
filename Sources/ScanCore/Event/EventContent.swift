/// What an event is about, as a value: the classic line and the forms for machines are made of the same one.
public enum EventContent: Sendable {
    /// A scan was found.
    case scan(ScanReport)
    /// A scan is over.
    case end(ScanEnd)
    /// Scans were not logged one by one.
    case summary(SuppressionSummary)
    /// The counters since the start.
    case status(StatusCounts)
    /// A connection was attempted.
    case attempt(AttemptNames)
    /// Something of the touches of a minute. It has no line.
    case touch(TouchMessage)
    /// The daemon has started; the line says with what.
    case start
    /// The daemon ends as requested.
    case stop
    /// Something else that the line says.
    case fault

    /// The event's ``EventField/kind``.
    public var kind: String {
        switch self {
        case .scan(let report): report.kind == .quick ? "scan" : report.kind.name
        case .end: "end"
        case .summary: "summary"
        case .status: "status"
        case .attempt: "attempt"
        case .touch: "touch"
        case .start: "start"
        case .stop: "stop"
        case .fault: "fault"
        }
    }
}

/// A connection attempt with the host names that were found for its addresses.
public struct AttemptNames: Sendable {
    /// The attempt.
    public var attempt: Attempt
    /// The name of its source; `nil`: unknown.
    public var source: HostName?
    /// The name of its destination; `nil`: unknown.
    public var destination: HostName?

    /// Creates it from its fields.
    public init(_ attempt: Attempt, source: HostName?, destination: HostName?) {
        self.attempt = attempt
        self.source = source
        self.destination = destination
    }
}

/// What tells an event from all others of its host.
public struct EventStamp: Equatable, Sendable {
    /// A random number, new at each start.
    public let run: UInt32
    /// The number of the event in that run, from 1 without gaps: a gap is a lost event, a repetition a copy.
    public let sequence: UInt64
    /// When it was recorded, in nanoseconds since 1970 UTC.
    public let time: Int64
}

/// The stamps of one run.
public struct EventStamps: Sendable {
    private let run: UInt32
    private var last: UInt64 = 0

    /// - Parameter run: a random number.
    public init(run: UInt32) { self.run = run }

    /// The stamp of the next event.
    ///
    /// - Parameter time: when it is recorded, in nanoseconds since 1970 UTC.
    public mutating func next(at time: Int64) -> EventStamp {
        last &+= 1
        return EventStamp(run: run, sequence: last, time: time)
    }

    /// Leaves out the numbers of events that were lost before they had one.
    public mutating func skip(_ lost: UInt32) { last &+= UInt64(lost) }
}

/// An event: a log line, and all that is known of what it says.
public struct Event: Sendable {
    /// What tells it from others.
    public let stamp: EventStamp
    /// What it is about.
    public let content: EventContent

    /// Creates an event from its fields.
    public init(_ stamp: EventStamp, _ content: EventContent) {
        self.stamp = stamp
        self.content = content
    }
}
