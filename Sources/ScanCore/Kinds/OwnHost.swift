/// What the host that is monitored says of itself: its addresses, and the ports at which its sockets take packets. All
/// zero: nothing is known, as of the hosts in a file.
public struct OwnHost: Sendable {
    /// Its addresses.
    public var addresses = AddressSet()

    /// The ports at which its sockets take packets.
    public var ports = OpenPorts()

    /// Whether ``ports`` are known: then a port that is in neither of its sets refuses.
    public var knowsPorts = false

    /// Whether something came to a port that is in neither set, since this was last false: it may be open by now.
    public var isTriedInVain = false

    /// Nothing is known.
    public init() {}

    /// Whether it takes what a pair of a class tries.
    mutating func takes(_ port: UInt16, of target: PairClass) -> Bool {
        switch target {
        case .tcp, .ack, .sweep: ports.tcp.contains(port)
        case .udp: ports.udp.contains(port)
        case .protocols, .sctp, .echo: false
        }
    }
}

extension PairClass {
    /// Whether the sockets of a host tell which of its pairs are open.
    var isToldBySockets: Bool {
        switch self {
        case .tcp, .ack, .sweep, .udp: true
        case .protocols, .sctp, .echo: false
        }
    }
}
