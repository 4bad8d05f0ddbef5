import CLinux
import System

/// Why the datagrams of a netlink socket can't be read further.
enum NetlinkFault: Error, Equatable {
    /// A length exceeds the datagram.
    case malformed
    /// The request was refused, with an error number.
    case refused(Int32)
}

/// Iterates over the messages of a datagram of a netlink socket (RFC 3549; netlink(7)), in host byte order.
struct NetlinkMessages {
    /// One message: fields of its header, and the range of its body in the datagram.
    struct Message {
        let type: Int32
        let flags: Int32
        /// That of the request, in a reply.
        let sequence: UInt32
        let body: Range<Int>
    }

    private var offset = 0

    /// The next message, `nil` after the last.
    ///
    /// - Throws: ``NetlinkFault``; what follows can't be parsed either.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> Message? {
        if offset >= datagram.count { return nil }
        let header: nlmsghdr = try unsafe datagram.load(at: offset)
        let length = Int(header.nlmsg_len)
        if length < MemoryLayout<nlmsghdr>.size || length > datagram.count - offset { throw .malformed }
        let body = offset + MemoryLayout<nlmsghdr>.size..<offset + length
        offset += NetlinkMessages.aligned(length)
        return Message(
            type: Int32(header.nlmsg_type), flags: Int32(header.nlmsg_flags), sequence: header.nlmsg_seq, body: body)
    }

    /// Messages and attributes begin at multiples of four bytes.
    static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// Iterates over the attributes of a message, or those nested in an attribute (rtnetlink(7)).
struct NetlinkAttributes {
    private var offset: Int
    private let end: Int

    /// The attributes in some bytes of a datagram.
    init(in bytes: Range<Int>) {
        offset = bytes.lowerBound
        end = bytes.upperBound
    }

    /// The attributes behind the structure that a message begins with.
    init<Head>(of message: NetlinkMessages.Message, behind head: Head.Type) {
        offset = message.body.lowerBound + NetlinkMessages.aligned(MemoryLayout<Head>.size)
        end = message.body.upperBound
    }

    /// The type of the next attribute, and the range of its value in the datagram; `nil` after the last.
    mutating func next(in datagram: Span<UInt8>) throws(NetlinkFault) -> (type: Int, value: Range<Int>)? {
        if offset >= end { return nil }
        let attribute: rtattr = try unsafe datagram.load(at: offset)
        let length = Int(attribute.rta_len)
        if length < MemoryLayout<rtattr>.size || length > end - offset { throw .malformed }
        let value = offset + MemoryLayout<rtattr>.size..<offset + length
        offset += NetlinkMessages.aligned(length)
        return (Int(attribute.rta_type) & 0x3fff, value)  // the bits above are flags of the value's encoding
    }
}

extension Span<UInt8> {
    /// The error number in the body of NLMSG_ERROR, or of NLMSG_DONE at the end of a dump; 0 for none.
    func errorNumber() throws(NetlinkFault) -> Int32 {
        let code: Int32 = try unsafe load(at: 0)
        return 0 &- code  // wrapping is intended: the number is not restricted
    }

    /// A kernel structure, loaded from its bytes in memory.
    ///
    /// Unsafe for types with invalid bit patterns; C structures of numbers have none.
    @unsafe func load<Value: BitwiseCopyable>(at offset: Int) throws(NetlinkFault) -> Value {
        if offset < 0 || offset > count - MemoryLayout<Value>.size { throw .malformed }
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
