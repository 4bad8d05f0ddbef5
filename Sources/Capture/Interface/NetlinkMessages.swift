import CLinux
import System

/// A datagram of a netlink socket that is not as it should be.
enum NetlinkFault: Error {
    /// A length in it leads outside it.
    case malformed
}

/// Walks the messages of a datagram of a netlink socket (RFC 3549; netlink(7)), in host byte order.
struct NetlinkMessages {
    /// One message: what its header says, and where in the datagram its body is.
    struct Message {
        let type: Int32
        let flags: Int32
        let body: Range<Int>
    }

    private var offset = 0

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be read either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Message? {
        if offset >= datagram.count { return nil }
        let header: nlmsghdr = try unsafe datagram.load(at: offset)
        let length = Int(header.nlmsg_len)
        if length < MemoryLayout<nlmsghdr>.size || length > datagram.count - offset { throw .malformed }
        let body = offset + MemoryLayout<nlmsghdr>.size..<offset + length
        offset += NetlinkMessages.aligned(length)
        return Message(type: Int32(header.nlmsg_type), flags: Int32(header.nlmsg_flags), body: body)
    }

    /// Messages and attributes begin at multiples of four bytes.
    static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// Walks the attributes of a message, or those that an attribute consists of (rtnetlink(7)).
struct NetlinkAttributes {
    private var offset: Int
    private let end: Int

    /// Those in some bytes of a datagram.
    init(in bytes: Range<Int>) {
        offset = bytes.lowerBound
        end = bytes.upperBound
    }

    /// Those behind the structure that a message begins with.
    init<Head>(of message: NetlinkMessages.Message, behind head: Head.Type) {
        offset = message.body.lowerBound + NetlinkMessages.aligned(MemoryLayout<Head>.size)
        end = message.body.upperBound
    }

    /// The type of the next attribute, and where in the datagram its value is; `nil` after the last.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> (type: Int, value: Range<Int>)? {
        if offset >= end { return nil }
        let attribute: rtattr = try unsafe datagram.load(at: offset)
        let length = Int(attribute.rta_len)
        if length < MemoryLayout<rtattr>.size || length > end - offset { throw .malformed }
        let value = offset + MemoryLayout<rtattr>.size..<offset + length
        offset += NetlinkMessages.aligned(length)
        return (Int(attribute.rta_type) & 0x3fff, value)  // the bits above say what the value consists of
    }
}

extension Span<UInt8> {
    /// A structure of the kernel's, as its bytes are in memory.
    ///
    /// It is unsafe for types that not every bit pattern is a value of; C's structures of numbers are not such.
    @unsafe func load<Value: BitwiseCopyable>(at offset: Int) throws(NetlinkFault) -> Value {
        if offset < 0 || offset > count - MemoryLayout<Value>.size { throw .malformed }
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
