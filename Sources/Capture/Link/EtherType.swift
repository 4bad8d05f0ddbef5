/// EtherTypes, which other links use as well: the type of what follows a header (IEEE 802, and the registry of IANA,
/// IEEE 802 Numbers), in host byte order.
enum EtherType {
    static let ipv4: UInt16 = 0x0800
    static let ipv6: UInt16 = 0x86dd
    /// A VLAN tag of the customer (IEEE 802.1Q).
    static let customerTag: UInt16 = 0x8100
    /// A VLAN tag of the provider (IEEE 802.1ad).
    static let providerTag: UInt16 = 0x88a8
    /// The provider's tag before a type was assigned (QinQ).
    static let oldProviderTag: UInt16 = 0x9100
    /// A tag of Cisco TrustSec.
    static let securityTag: UInt16 = 0x8909
    /// Labels of MPLS (RFC 3032, section 5).
    static let labels: UInt16 = 0x8847
    static let multicastLabels: UInt16 = 0x8848
    /// A session of PPP over Ethernet (RFC 2516).
    static let pppoeSession: UInt16 = 0x8864
    /// PPP without a header before it.
    static let ppp: UInt16 = 0x880b

    /// The minimum: a smaller value in the same field is the length of an IEEE 802.3 frame, or a Linux-specific number.
    static let least: UInt16 = 0x600

    /// Whether it is the type of a VLAN tag.
    static func isTag(_ type: UInt16) -> Bool {
        type == customerTag || type == providerTag || type == oldProviderTag
    }
}
