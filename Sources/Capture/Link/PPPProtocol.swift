/// Protocols of PPP (RFC 1661, section 2; IANA, PPP Numbers), in host byte order.
enum PPPProtocol {
    static let ipv4: UInt16 = 0x0021
    static let ipv6: UInt16 = 0x0057
    /// Labels of MPLS (RFC 3032, section 4.3).
    static let labels: UInt16 = 0x0281
    static let multicastLabels: UInt16 = 0x0283
}
