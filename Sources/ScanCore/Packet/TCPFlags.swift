/// The flags byte of a TCP header (RFC 9293, section 3.1; the upper two RFC 3168).
///
/// Not an OptionSet: its literals are arrays, and ScanCore has no heap.
public struct TCPFlags: Equatable, Sendable {
    /// The flags byte of the header.
    public var rawValue: UInt8

    /// Creates flags from the flags byte of a header.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// No flag: what a NULL scan sends.
    public static let none = TCPFlags(rawValue: 0)
    /// Every flag: the initial value for merging by ``intersection(_:)``.
    static let all = TCPFlags(rawValue: 0xff)
    /// No more data from the sender.
    public static let fin = TCPFlags(rawValue: 0x01)
    /// Synchronize sequence numbers: opens a connection.
    public static let syn = TCPFlags(rawValue: 0x02)
    /// Reset the connection.
    public static let rst = TCPFlags(rawValue: 0x04)
    /// Push function.
    public static let psh = TCPFlags(rawValue: 0x08)
    /// The acknowledgment field is significant.
    public static let ack = TCPFlags(rawValue: 0x10)
    /// The urgent pointer field is significant.
    public static let urg = TCPFlags(rawValue: 0x20)
    /// ECN echo, the line's `x`.
    public static let ece = TCPFlags(rawValue: 0x40)
    /// Congestion window reduced, the line's `y`.
    public static let cwr = TCPFlags(rawValue: 0x80)

    /// Whether these are exactly the flags of data on an established connection, ACK or PSH and ACK.
    @inline(__always)
    public var isEstablishedData: Bool { EstablishedData.has(self) }

    /// Whether all given flags are set.
    public func contains(_ flags: TCPFlags) -> Bool { rawValue & flags.rawValue == flags.rawValue }

    /// Whether any of the given flags is set.
    public func containsAny(of flags: TCPFlags) -> Bool { rawValue & flags.rawValue != 0 }

    /// The flags set in either.
    public func union(_ other: TCPFlags) -> TCPFlags { TCPFlags(rawValue: rawValue | other.rawValue) }

    /// The flags set in both.
    public func intersection(_ other: TCPFlags) -> TCPFlags { TCPFlags(rawValue: rawValue & other.rawValue) }
}
