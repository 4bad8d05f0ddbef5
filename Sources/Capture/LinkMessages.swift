import CLinux

/// What the kernel says about one interface (rtnetlink(7), RTM_NEWLINK).
struct LinkMessage: Equatable {
    var index: Int32
    var isUp: Bool
    var name: InterfaceName
}

/// A datagram of a netlink socket that is not as it should be.
enum NetlinkFault: Error {
    /// A length in it leads outside it.
    case malformed
}

/// Reads the messages of one datagram of a routing netlink socket (RFC 3549; netlink(7)), in host byte order.
struct LinkMessages {
    /// What a message says.
    enum Item: Equatable {
        /// There is an interface: new, changed or in a list.
        case link(LinkMessage)
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

    private var offset = 0

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be read either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Item? {
        if offset >= datagram.count { return nil }
        let header: nlmsghdr = try unsafe datagram.load(at: offset)
        let length = Int(header.nlmsg_len)
        if length < MemoryLayout<nlmsghdr>.size || length > datagram.count - offset { throw .malformed }
        let body = datagram.extracting(offset + MemoryLayout<nlmsghdr>.size..<offset + length)
        offset += LinkMessages.aligned(length)
        if Int32(header.nlmsg_flags) & NLM_F_DUMP_INTR != 0 { areInterrupted = true }
        switch Int32(header.nlmsg_type) {
        case NLMSG_DONE:
            return .endOfList
        case NLMSG_ERROR:
            let code: Int32 = try unsafe body.load(at: 0)
            return .refused(0 &- code)  // wrapping is meant: nothing is said of what the number may be
        case Int32(RTM_NEWLINK):
            return try LinkMessages.link(body)
        case Int32(RTM_DELLINK):
            let information: ifinfomsg = try unsafe body.load(at: 0)
            // A bridge says the same of a port that leaves it.
            return Int32(information.ifi_family) == AF_UNSPEC ? .gone(index: information.ifi_index) : .other
        default:
            return .other
        }
    }

    private static func link(_ body: Span<UInt8>) throws(NetlinkFault) -> Item {
        let information: ifinfomsg = try unsafe body.load(at: 0)
        if Int32(information.ifi_family) != AF_UNSPEC { return .other }
        var offset = aligned(MemoryLayout<ifinfomsg>.size)
        while offset < body.count {
            let attribute: rtattr = try unsafe body.load(at: offset)
            let length = Int(attribute.rta_len)
            if length < MemoryLayout<rtattr>.size || length > body.count - offset { throw .malformed }
            if Int(attribute.rta_type) == Int(IFLA_IFNAME) {
                let text = body.extracting(offset + MemoryLayout<rtattr>.size..<offset + length)
                guard let name = InterfaceName(text) else { throw .malformed }
                let isUp = information.ifi_flags & UInt32(IFF_UP) != 0
                return .link(LinkMessage(index: information.ifi_index, isUp: isUp, name: name))
            }
            offset += aligned(length)
        }
        throw .malformed  // every interface has a name
    }

    /// Messages and attributes begin at multiples of four bytes.
    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

extension Span<UInt8> {
    /// A structure of the kernel's, as its bytes are in memory.
    ///
    /// It is unsafe for types that not every bit pattern is a value of; C's structures of numbers are not such.
    @unsafe fileprivate func load<Value: BitwiseCopyable>(at offset: Int) throws(NetlinkFault) -> Value {
        if offset < 0 || offset > count - MemoryLayout<Value>.size { throw .malformed }
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
