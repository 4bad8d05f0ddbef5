/// A scan that a packet has made, or one that goes on with it after its report was suppressed.
public struct ScanFinding: Sendable {
    /// The scan as it was when it became one.
    public let report: ScanReport

    /// Whether the packet made it a scan; if not, it was one before, and its report was suppressed.
    public let isNew: Bool

    /// How many new ports of it have not been counted yet: all up to here if it is new, then one at a time.
    let newPorts: UInt16

    /// What orders it among others that did as much, which nobody can choose: the keyed hash of its source.
    let lot: UInt32

    /// What became of its report. ``ReportLimiter`` changes it, and ``ScanDetector/remember(_:)`` keeps it.
    public var suppression: Suppression

    /// What is known of a source in its entry.
    init(_ entry: borrowing SourceEntry, isNew: Bool, hash: UInt32) {
        self.init(entry.report, isNew: isNew, lot: hash, suppression: entry.suppression)
    }

    init(_ report: ScanReport, isNew: Bool = true, lot: UInt32 = 0, suppression: Suppression = Suppression()) {
        self.report = report
        self.isNew = isNew
        self.lot = lot
        self.suppression = suppression
        newPorts = isNew ? UInt16(report.ports.count) + 1 : 1
    }
}

/// What became of the report of a scan, as the limit on the log keeps it with the scan's source.
public struct Suppression: Equatable, Sendable {
    /// How many new ports it has touched in the time between two summaries, up to 65,535; 0 if its report was logged.
    var newPorts: UInt16 = 0

    /// The number of that time.
    var period: UInt8 = 0

    /// Whatever the caller keeps, to find the limit again that suppressed the report; it is not looked at here.
    public var limit: UInt8 = 0

    /// Whether the report was not logged, and has not been since: the scan is told of again with each new port.
    public var isSuppressed: Bool { newPorts > 0 }

    /// That of a report that was not suppressed.
    init() {}
}
