/// Which kinds of scans are detected, and by which evidence. All zero: only ``ScanKind/quick``.
public struct KindSettings: Sendable {
    /// The kinds to detect; see ``omitsQuick``.
    public let kinds: ScanKinds

    /// Whether ``ScanKind/quick`` is not among them.
    let omitsQuick: Bool

    /// The networks of the hosts that are monitored, where they are known. Their addresses count as one host for the
    /// kinds that look at one, and are never reported themselves.
    public var local = NetworkList()

    /// The number of ports that are never the host's own clients': its clients use those from here on
    /// (ip_local_port_range).
    public var firstClientPort: UInt16 = 0

    /// Only ``ScanKind/quick``.
    public init() {
        kinds = .none
        omitsQuick = false
    }

    /// Some kinds.
    public init(_ kinds: ScanKinds) {
        self.kinds = kinds
        omitsQuick = !kinds.contains(.quick)
    }

    /// Whether an address is of a host that is monitored.
    func isLocal(_ address: Address) -> Bool { local.count > 0 && local.contains(address) }

    /// Whether a port may belong to a client of the probed host, or a service that a client of it uses: what looks
    /// refused there can be an answer that came late.
    func mayBeClients(port: UInt16, of source: UInt16) -> Bool {
        port >= firstClientPort || source < Parameters.privilegedPortEnd && port >= Parameters.privilegedPortEnd
    }
}
