/// What the quick rule counts of a port.
public enum QuickRule: UInt8, Sendable {
    /// That it was touched, whatever became of it: the rule of scanlogd 2.2.8.
    case touches = 0
    /// The answer: in full if it failed, and little if it accepted.
    case answers
}

/// Which kinds of scans are detected, and by which evidence. All zero: only ``ScanKind/quick``.
public struct KindSettings: Sendable {
    /// The kinds to detect; see ``omitsTouches``.
    public let kinds: ScanKinds

    /// What the quick rule counts.
    public let quickRule: QuickRule

    /// Whether no scan is reported for the ports that it touched.
    let omitsTouches: Bool

    /// Whether it is kept what each source tried, and what became of it.
    public let followsPairs: Bool

    /// Whether ``ScanKind/quick`` is detected by answers.
    var countsAnswers: Bool { quickRule == .answers && kinds.contains(.quick) }

    /// The networks of the hosts that are monitored, where they are known. Their addresses count as one host for the
    /// kinds that look at one, and are never reported themselves.
    public var local = NetworkList()

    /// The number of ports that are never the host's own clients': its clients use those from here on
    /// (ip_local_port_range).
    public var firstClientPort: UInt16 = 0

    /// Only ``ScanKind/quick``.
    public init() {
        kinds = .none
        quickRule = .touches
        omitsTouches = false
        followsPairs = false
    }

    /// Some kinds.
    public init(_ kinds: ScanKinds, quickRule: QuickRule = .touches) {
        self.kinds = kinds
        self.quickRule = quickRule
        omitsTouches = quickRule == .answers || !kinds.contains(.quick)
        followsPairs = quickRule == .answers || kinds.hasOthers
    }

    /// Whether an address is of a host that is monitored.
    func isLocal(_ address: Address) -> Bool { local.count > 0 && local.contains(address) }

    /// Whether a port may belong to a client of the probed host, or a service that a client of it uses: what looks
    /// refused there can be an answer that came late.
    func mayBeClients(port: UInt16, of source: UInt16) -> Bool {
        port >= firstClientPort || source < Parameters.privilegedPortEnd && port >= Parameters.privilegedPortEnd
    }
}
