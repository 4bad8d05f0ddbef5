import CLinux
import ScanCore
import System

/// Parses the messages about addresses in a datagram of a routing netlink socket (rtnetlink(7)).
struct AddressMessages {
    /// The content of a message.
    enum Item: Equatable {
        /// An address: new, or part of a dump.
        case address(Address)
        /// An address was removed.
        case removed
        /// The end of a dump.
        case endOfList
        /// The request was refused with an error number.
        case refused(Int32)
        /// A message of no interest.
        case other
    }

    /// Whether addresses changed during a dump: its content may be inconsistent.
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
        case NLMSG_DONE: return .endOfList
        case NLMSG_ERROR: return .refused(try body.errorNumber())
        case Int32(RTM_NEWADDR): return try AddressMessages.address(message, in: datagram)
        case Int32(RTM_DELADDR): return .removed
        default: return .other
        }
    }

    /// The address of an interface: on links between two hosts, IFA_ADDRESS is that of the other one.
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
