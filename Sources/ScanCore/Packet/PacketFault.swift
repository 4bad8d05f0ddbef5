/// Why a packet gives no ``Probe``.
public enum PacketFault: Error, Equatable, Sendable {
    /// It is well formed, and of no protocol that is looked at: not TCP over IP.
    case otherProtocol
    /// It is a fragment that does not hold the whole TCP header, so nothing in it can be relied on alone.
    case fragment
    /// It ends before the 20 bytes of the TCP header do, or its own length says so.
    case truncated
    /// A header contradicts itself.
    case malformed
}
