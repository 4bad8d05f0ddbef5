import CLinux
import ScanCore
import System

/// The kernel's description of an interface (rtnetlink(7), RTM_NEWLINK).
struct RouteMessage: Equatable {
    var index: Int32
    var isUp: Bool
    var name: InterfaceName
    /// The range of its properties in the datagram, which include its alternative names.
    var properties = 0..<0
}

extension RouteMessage {
    /// Whether it describes the interface of a name, be it its own or an alternative one.
    ///
    /// - Parameter datagram: the datagram that the message is in.
    func isOf(_ name: RequestedName, in datagram: Span<UInt8>) -> Bool {
        if name.isOwn(self.name) { return true }
        var attributes = NetlinkAttributes(in: properties)
        do throws(NetlinkFault) {
            while let (type, value) = try attributes.next(in: datagram) {
                if type == Int(IFLA_ALT_IFNAME) && name.isIn(datagram.extracting(value)) { return true }
            }
        } catch {
            // A malformed message of the kernel: everything before it has been examined.
        }
        return false
    }
}

/// Parses the messages about interfaces and their addresses in a datagram of a routing netlink socket (rtnetlink(7)).
struct RouteMessages {
    /// The content of a message.
    enum Item: Equatable {
        /// An interface: new, changed or part of a dump.
        case link(RouteMessage)
        /// An interface was deleted.
        case gone(index: Int32)
        /// An address of this host: new, or part of a dump.
        case address(Address)
        /// An address was removed.
        case addressRemoved
        /// The end of a dump.
        case endOfList
        /// The request was refused with an error number.
        case refused(Int32)
        /// A message of no interest.
        case other
    }

    /// Whether what is listed changed during a dump: its content may be inconsistent.
    private(set) var areInterrupted = false

    private var messages = NetlinkMessages()

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be parsed either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Item? {
        guard let message = try messages.next(in: datagram) else { return nil }
        if message.flags & NLM_F_DUMP_INTR != 0 { areInterrupted = true }
        let body = datagram.extracting(message.body)
        switch message.type {
        case NLMSG_DONE:
            return .endOfList
        case NLMSG_ERROR:
            return .refused(try body.errorNumber())
        case Int32(RTM_NEWLINK):
            return try RouteMessages.link(message, in: datagram)
        case Int32(RTM_DELLINK):
            let information: ifinfomsg = try unsafe body.load(at: 0)
            // A bridge sends the same message about a port that leaves it.
            return Int32(information.ifi_family) == AF_UNSPEC ? .gone(index: information.ifi_index) : .other
        case Int32(RTM_NEWADDR):
            return try RouteMessages.address(message, in: datagram)
        case Int32(RTM_DELADDR):
            return .addressRemoved
        default:
            return .other
        }
    }

    private static func link(
        _ message: NetlinkMessages.Message, in datagram: Span<UInt8>
    ) throws(NetlinkFault) -> Item {
        let information: ifinfomsg = try unsafe datagram.extracting(message.body).load(at: 0)
        if Int32(information.ifi_family) != AF_UNSPEC { return .other }
        var attributes = NetlinkAttributes(of: message, behind: ifinfomsg.self)
        var name: InterfaceName?
        var properties = 0..<0
        while let (type, value) = try attributes.next(in: datagram) {
            if type == Int(IFLA_IFNAME) { name = InterfaceName(datagram.extracting(value)) }
            if type == Int(IFLA_PROP_LIST) { properties = value }
        }
        guard let name else { throw .malformed }  // every interface has a name
        let isUp = information.ifi_flags & UInt32(IFF_UP) != 0
        return .link(RouteMessage(index: information.ifi_index, isUp: isUp, name: name, properties: properties))
    }
    /// The address of this end: on links between two hosts, IFA_ADDRESS is that of the other one.
    private static func address(
        _ message: NetlinkMessages.Message, in datagram: Span<UInt8>
    ) throws(NetlinkFault) -> Item {
        let information: ifaddrmsg = try unsafe datagram.extracting(message.body).load(at: 0)
        var attributes = NetlinkAttributes(of: message, behind: ifaddrmsg.self)
        var (own, any): (Range<Int>?, Range<Int>?) = (nil, nil)
        while let (type, value) = try attributes.next(in: datagram) {
            if type == Int(IFA_LOCAL) { own = value }
            if type == Int(IFA_ADDRESS) { any = value }
        }
        guard let bytes = own ?? any else { throw .malformed }
        let value = datagram.extracting(bytes)
        switch Int32(information.ifa_family) {
        case AF_INET:
            let word: UInt32 = try unsafe value.load(at: 0)
            return .address(Address(ipv4: UInt32(bigEndian: word)))
        case AF_INET6:
            let (high, low): (UInt64, UInt64) = (try unsafe value.load(at: 0), try unsafe value.load(at: 8))
            return .address(Address(ipv6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low)))
        default: return .other
        }
    }
}
