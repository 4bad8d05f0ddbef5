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
    private(set) var (tcp, udp) = (PortList(), PortList())
    /// The addresses of this host, if they are few.
    private(set) var addresses = AddressList()

    /// None.
    public init() {}

    /// Sets the ports and addresses of the host; returns whether they are others than before.
    ///
    /// - Parameters:
    ///   - host: what the host is; its ports are known.
    ///   - firstClientPort: the first port of clients.
    public mutating func update(_ host: inout OwnHost, firstClientPort: UInt16) -> Bool {
        let tcp = PortList(of: &host.tcp, below: firstClientPort)
        let udp = PortList(of: &host.udp, below: firstClientPort)
        let addresses = AddressList(host.addresses)
        let isSame = tcp.isSame(as: self.tcp) && udp.isSame(as: self.udp) && addresses.isSame(as: self.addresses)
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

/// A few ports, in order.
struct PortList: Sendable {
    private var ports = InlineArray<64, UInt16>(repeating: 0)
    private(set) var count = 0
    /// Whether there was room for all.
    private(set) var isComplete = true

    init() {}

    /// The ports of a set that are lower than one.
    init(of map: inout PortMap, below end: UInt16) {
        for port in 0..<end where map.contains(port) {
            if count == ports.count {
                isComplete = false
                return
            }
            ports[count] = port
            count += 1
        }
    }

    subscript(index: Int) -> UInt16 { ports[index] }

    func isSame(as other: PortList) -> Bool {
        if count != other.count || isComplete != other.isComplete { return false }
        for index in 0..<count where ports[index] != other.ports[index] { return false }
        return true
    }
}

/// A few addresses: for a host with more, any address may be its own.
struct AddressList: Sendable {
    private var addresses = InlineArray<16, Address>(repeating: Address(ipv4: 0))
    private(set) var count = 0
    /// Whether there was room for all.
    private(set) var isComplete = true

    init() {}

    init(_ set: AddressSet) {
        if set.count > addresses.count {
            isComplete = false
            return
        }
        set.forEach { address in
            addresses[count] = address
            count += 1
        }
    }

    subscript(index: Int) -> Address { addresses[index] }

    func isSame(as other: AddressList) -> Bool {
        if count != other.count || isComplete != other.isComplete { return false }
        for index in 0..<count where addresses[index] != other.addresses[index] { return false }
        return true
    }
}
