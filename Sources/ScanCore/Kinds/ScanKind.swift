/// A kind of scan, by what one source touches.
public enum ScanKind: UInt8, Sendable {
    /// Many TCP ports, each within seconds of the last: the rule of scanlogd 2.2.8.
    case quick = 0
    /// Many TCP ports of one host, with pauses that end what ``quick`` counts.
    case slow
    /// Many TCP ports of one host, by several addresses of one IPv6 /64.
    case spread
    /// One TCP port of many hosts.
    case sweep
    /// ICMP echo requests to many hosts.
    case ping
    /// Many UDP ports that the host refused.
    case udp
    /// Many TCP ports that refused an acknowledgement: ACK, Window and Maimon scans.
    case ack
    /// Many IP protocols.
    case protocols
    /// Many SCTP ports.
    case sctp

    /// The number of kinds.
    package static var count: UInt8 { 9 }

    /// The name in `--kinds`.
    public var name: String {
        switch self {
        case .quick: "quick"
        case .slow: "slow"
        case .spread: "spread"
        case .sweep: "sweep"
        case .ping: "ping"
        case .udp: "udp"
        case .ack: "ack"
        case .protocols: "protocols"
        case .sctp: "sctp"
        }
    }

    /// Whether it is of many hosts, at one port at most.
    var isOfHosts: Bool { self == .sweep || self == .ping }

    /// Whether it is one host's own TCP segments, whose flags, TOS, TTL and source port say something.
    var hasSegments: Bool { self == .quick || self == .slow || self == .sweep }
}

/// A set of kinds.
public struct ScanKinds: Equatable, Sendable {
    private var bits: UInt16

    private init(bits: UInt16) { self.bits = bits }

    /// No kind.
    public static let none = ScanKinds(bits: 0)
    /// Every kind.
    public static let all = ScanKinds(bits: 1 << UInt16(ScanKind.count) - 1)

    /// Whether a kind is in the set.
    @inline(__always)
    public func contains(_ kind: ScanKind) -> Bool { bits >> UInt16(kind.rawValue) & 1 != 0 }

    /// Adds a kind.
    public mutating func insert(_ kind: ScanKind) { bits |= 1 << UInt16(kind.rawValue) }

    /// Removes a kind.
    public mutating func remove(_ kind: ScanKind) { bits &= ~(1 << UInt16(kind.rawValue)) }

    /// The kinds that are in another set too.
    public func intersection(_ other: ScanKinds) -> ScanKinds { ScanKinds(bits: bits & other.bits) }

    /// Whether any kind but ``ScanKind/quick`` is in the set.
    @inline(__always)
    public var hasOthers: Bool { bits & ~1 != 0 }
}
