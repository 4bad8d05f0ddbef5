/// The reason why a packet yields no ``Probe``.
public enum PacketFault: Error, Equatable, Sendable {
    /// It is well formed, but its protocol is not examined: not TCP over IP.
    case otherProtocol
    /// It is a fragment without the complete TCP header, so nothing in it can be relied on alone.
    case fragment
    /// It ends before the 20 bytes of the TCP header do, by capture or by its own length field.
    case truncated
    /// A header is inconsistent.
    case malformed
}
