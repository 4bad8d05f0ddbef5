/// The ports of a host at which its sockets take packets, whatever address they are bound to. All zero: none.
public struct OpenPorts: Sendable {
    /// The ports of the TCP sockets that listen.
    public var tcp = PortMap()
    /// The ports of all UDP sockets.
    public var udp = PortMap()

    /// None.
    public init() {}
}
