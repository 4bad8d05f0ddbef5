import ScanCore

/// Which packets that can't be part of a TCP scan are delivered all the same, for other kinds of scans. By default none
/// are.
public struct OtherPackets: Sendable {
    /// Echo requests of ICMP and ICMPv6, and their replies.
    public var echoes = false
    /// ICMP errors that hosts behind this one send.
    public var errors = false
    /// Packets of protocols that hosts do not commonly receive.
    public var protocols = false
    /// SCTP's chunks that begin an association.
    public var associations = false
    /// UDP packets to ports of this host at which no socket takes them.
    public var datagrams = false
    /// TCP segments with exactly ACK, or PSH and ACK, to ports of this host at which no socket listens.
    public var acknowledgements = false

    /// The first port that belongs to clients: packets to it and to those above are left out.
    private(set) var firstClientPort: UInt16 = 0
    /// The open ports below.
    private(set) var (tcp, udp) = (FilterPorts(repeating: 0), FilterPorts(repeating: 0))
    /// The addresses of this host, if they are few.
    private(set) var addresses = FilterAddresses(repeating: Address(ipv4: 0))

    /// None.
    public init() {}

    /// Sets the ports and addresses of the host; returns whether they are others than before.
    ///
    /// - Parameters:
    ///   - host: what the host is; its ports are known.
    ///   - firstClientPort: the first port of clients.
    public mutating func update(_ host: inout OwnHost, firstClientPort: UInt16) -> Bool {
        let tcp = FilterPorts(of: &host.ports.tcp, below: firstClientPort)
        let udp = FilterPorts(of: &host.ports.udp, below: firstClientPort)
        let addresses = FilterAddresses(host.addresses)
        let isSame = tcp == self.tcp && udp == self.udp && addresses == self.addresses
        if isSame && firstClientPort == self.firstClientPort { return false }
        self.tcp = tcp
        self.udp = udp
        self.addresses = addresses
        self.firstClientPort = firstClientPort
        return true
    }

    /// Whether there are more open UDP ports than a filter can leave out: then no ``datagrams`` are delivered.
    public var hasTooManyDatagramPorts: Bool { !udp.isComplete }

    /// The same for ``acknowledgements``.
    public var hasTooManyListeningPorts: Bool { !tcp.isComplete }
}

/// The ports that a filter compares with, in order.
typealias FilterPorts = ShortList<64, UInt16>
/// The addresses that a filter compares with: of a host with more, any address may be its own.
typealias FilterAddresses = ShortList<16, Address>

extension FilterPorts {
    /// The ports of a set that are lower than one.
    init(of map: inout PortMap, below end: UInt16) {
        self.init(repeating: 0)
        for port in 0..<end where isComplete && map.contains(port) { append(port) }
    }
}

extension FilterAddresses {
    init(_ set: AddressSet) {
        self.init(repeating: Address(ipv4: 0))
        set.forEach { append($0) }
    }
}

/// A few values, in fixed memory.
struct ShortList<let capacity: Int, Element: Equatable & Sendable>: Equatable, Sendable {
    private var elements: InlineArray<capacity, Element>
    private(set) var count = 0
    /// Whether there was room for all.
    private(set) var isComplete = true

    /// An empty list, with any value for what is not used.
    init(repeating unused: Element) {
        elements = InlineArray(repeating: unused)
    }

    mutating func append(_ element: Element) {
        if count == capacity {
            isComplete = false
            return
        }
        elements[count] = element
        count += 1
    }

    subscript(index: Int) -> Element { elements[index] }

    static func == (one: ShortList, other: ShortList) -> Bool {
        if one.count != other.count || one.isComplete != other.isComplete { return false }
        for index in 0..<one.count where one[index] != other[index] { return false }
        return true
    }
}
