import CLinux
import System

/// What the kernel says about one interface (rtnetlink(7), RTM_NEWLINK).
struct RouteMessage: Equatable {
    var index: Int32
    var isUp: Bool
    var name: InterfaceName
    /// Where in the datagram its properties are, and among them its alternative names.
    var properties = 0..<0
}

extension RouteMessage {
    /// Whether it is about an interface of a name, be it its own or an alternative one.
    ///
    /// - Parameter datagram: what it was read from.
    func isOf(_ name: RequestedName, in datagram: Span<UInt8>) -> Bool {
        if name.isOwn(self.name) { return true }
        var attributes = NetlinkAttributes(in: properties)
        do throws(NetlinkFault) {
            while let (type, value) = try attributes.next(in: datagram) {
                if type == Int(IFLA_ALT_IFNAME) && name.isIn(datagram.extracting(value)) { return true }
            }
        } catch {
            // The kernel's mistake: those before it have been looked at.
        }
        return false
    }
}

/// Reads the messages about interfaces in a datagram of a routing netlink socket (rtnetlink(7)).
struct RouteMessages {
    /// What a message says.
    enum Item: Equatable {
        /// There is an interface: new, changed or in a list.
        case link(RouteMessage)
        /// An interface is no more.
        case gone(index: Int32)
        /// The list is at its end.
        case endOfList
        /// The request was refused with an error number.
        case refused(Int32)
        /// Something of no interest.
        case other
    }

    /// Whether a list changed while it was put together: what it says may have been true at no time.
    private(set) var areInterrupted = false

    private var messages = NetlinkMessages()

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be read either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Item? {
        guard let message = try messages.next(in: datagram) else { return nil }
        if message.flags & NLM_F_DUMP_INTR != 0 { areInterrupted = true }
        let body = datagram.extracting(message.body)
        switch message.type {
        case NLMSG_DONE:
            return .endOfList
        case NLMSG_ERROR:
            let code: Int32 = try unsafe body.load(at: 0)
            return .refused(0 &- code)  // wrapping is meant: nothing is said of what the number may be
        case Int32(RTM_NEWLINK):
            return try RouteMessages.link(message, in: datagram)
        case Int32(RTM_DELLINK):
            let information: ifinfomsg = try unsafe body.load(at: 0)
            // A bridge says the same of a port that leaves it.
            return Int32(information.ifi_family) == AF_UNSPEC ? .gone(index: information.ifi_index) : .other
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
}
