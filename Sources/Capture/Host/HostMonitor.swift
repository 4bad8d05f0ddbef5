import ScanCore
import System

/// Keeps what is known of this host in sync with the kernel: its addresses, and the ports at which its sockets take
/// packets.
///
/// It is opened with privileges, and then works without any, in any root directory: see ``HostAddresses`` and
/// ``HostSockets``.
public struct HostMonitor: ~Copyable {
    /// The shortest time between two lists of sockets, in nanoseconds: with 20,000 sockets a list takes 20 ms.
    private static let shortestInterval: Int64 = 1_000_000_000

    private var addresses: HostAddresses
    private var sockets: HostSockets
    private let key: HashKey
    /// When the sockets were listed.
    private var listed: Timestamp

    /// The ports of clients.
    public let clientPorts: EphemeralPorts

    /// Whether the last update of the addresses failed, and the last list of sockets: a failure is reported once.
    private var (addressesFail, socketsFail) = (false, false)

    /// Readable when addresses have changed: see ``updateAddresses(of:)``.
    public var descriptor: Int32 { addresses.socket.number }

    /// Opens it, and reads all of it into `host`.
    ///
    /// - Parameter key: the detector's.
    /// - Throws: the kernel's error. Then nothing is known of the host.
    public init(_ host: inout OwnHost, key: HashKey) throws(SystemError) {
        var addresses = try HostAddresses()
        try addresses.update(&host.addresses, key)
        sockets = try HostSockets(&host.ports)
        host.knowsPorts = true
        listed = .now()
        clientPorts = .configured()
        self.addresses = addresses
        self.key = key
    }

    @inlinable
    @inline(never)  // otherwise it would be inlined wherever one may end
    deinit {}

    /// The number of addresses that the host has beyond ``AddressSet/capacity``.
    public var omittedAddresses: Int { addresses.omitted }

    /// Applies changes of addresses, without blocking.
    ///
    public mutating func updateAddresses(of host: inout OwnHost) -> Update {
        do throws(SystemError) {
            try addresses.update(&host.addresses, key)
            addressesFail = false
            return .done
        } catch {
            defer { addressesFail = true }
            return .failed(addressesFail ? nil : error)
        }
    }

    /// The result of an update.
    public enum Update {
        /// The last one is less than a second ago.
        case notYet
        case done
        /// All is as before; with the error, if it is the first since this last succeeded.
        case failed(SystemError?)
    }

    /// Lists the sockets, unless that was done within the last second.
    public mutating func updatePorts(of host: inout OwnHost) -> Update {
        let now = Timestamp.now()
        if now.isWithin(HostMonitor.shortestInterval, after: listed) { return .notYet }
        listed = now
        do throws(SystemError) {
            try sockets.refresh(&host.ports)
            socketsFail = false
            return .done
        } catch {
            defer { socketsFail = true }
            return .failed(socketsFail ? nil : error)
        }
    }
}
