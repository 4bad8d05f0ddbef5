/// A scan that a packet has completed, or that continues with it after its report was suppressed.
public struct ScanFinding: Sendable {
    /// The scan as it was when it was detected.
    public let report: ScanReport

    /// Whether the packet completed the scan; if not, the scan was detected before, and its report was suppressed.
    public let isNew: Bool

    /// The number of new ports not counted yet: all so far if the scan is new, otherwise one.
    let newPorts: UInt16

    /// The tie-breaker among scans with equally many ports, which a sender can't choose: the keyed hash of its source.
    let lot: UInt32

    /// The place of its candidate; `nil` if the quick rule found it by the ports that it touched.
    let candidate: UInt32?

    /// The port that completed a scan that was found by the ports touched, which its report leaves out.
    let lastPort: UInt16

    /// What has to be looked at again before it is reported.
    let unconfirmed: KindFound?

    /// Whether it may be reported; if not, see ``ScanDetector/confirm(_:at:realTime:)``.
    public var isConfirmed: Bool { unconfirmed == nil }

    /// The state of its report. ``ReportLimiter`` changes it, and ``ScanDetector/remember(_:)`` stores it.
    public var suppression: Suppression

    /// Creates a finding from a source's entry.
    ///
    /// - Parameter realTime: when its last packet came, in nanoseconds since 1970 UTC.
    init(_ entry: borrowing SourceEntry, isNew: Bool, hash: UInt32, lastPort: UInt16, realTime: Int64) {
        var report = entry.report
        report.endTime = realTime
        self.init(report, isNew: isNew, lot: hash, suppression: entry.suppression, lastPort: lastPort)
    }

    init(
        _ report: ScanReport, isNew: Bool = true, lot: UInt32 = 0, suppression: Suppression = Suppression(),
        candidate: UInt32? = nil, unconfirmed: KindFound? = nil, lastPort: UInt16 = 0
    ) {
        self.lastPort = lastPort
        self.candidate = candidate
        self.unconfirmed = unconfirmed
        self.report = report
        self.isNew = isNew
        self.lot = lot
        self.suppression = suppression
        newPorts = isNew ? report.portCount : 1
    }
}

/// The state of a scan's report, which the report limiter stores with the scan's source.
public struct Suppression: Equatable, Sendable {
    /// The number of new ports touched in the period between two summaries, up to 65,535; 0 if its report was logged.
    var newPorts: UInt16 = 0

    /// The number of that period.
    var period: UInt8 = 0

    /// For the caller: identifies the limiter that suppressed the report. It is not used here.
    public var limit: UInt8 = 0

    /// Whether the report was not logged, and has not been since: the scan is returned again with each new port.
    public var isSuppressed: Bool { newPorts > 0 }

    /// The state of a report that was not suppressed.
    init() {}
}
