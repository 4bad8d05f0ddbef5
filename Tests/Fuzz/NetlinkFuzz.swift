import CLinux
import ScanCore
import System

/// The input is a datagram of the kernel's about interfaces and addresses: what is read of it is compared with a slow
/// reader that shares no code with it, and walks lists of bytes. Then the same bytes are about sockets, and a file of them.
@c(LLVMFuzzerTestOneInput)
public func netlinkFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let datagram = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let walk = Walk(datagram)
    let expected = SlowWalk(datagram)
    check(walk.items == expected.items, "\(walk.items) where the slow reader says \(expected.items)")
    check(walk.isMalformed == expected.isMalformed, "malformed is \(walk.isMalformed)")
    check(walk.areInterrupted == expected.areInterrupted, "interrupted is \(walk.areInterrupted)")
    checkPrefixes(datagram, walk)
    checkSockets(datagram)
    checkTable(datagram)
    return 0
}

/// Of another request's replies nothing is read.
private func checkSockets(_ datagram: [UInt8]) {
    if datagram.count < 12 { return }
    let sequence = UInt32(truncatingIfNeeded: number(datagram[8..<12]))
    var messages = SocketMessages(repliesTo: sequence)
    var others = SocketMessages(repliesTo: ~sequence)
    do throws(NetlinkFault) {
        while try messages.next(in: datagram.span) != nil {}
    } catch {}
    do throws(NetlinkFault) {
        let first = try others.next(in: datagram.span)
        check(first == .other, "the reply to another request is \(String(describing: first))")
    } catch {}
}

/// A line says the same whether or not more of it follows than is read.
private func checkTable(_ bytes: [UInt8]) {
    var reader = SocketTableReader()
    var lines = 0
    for byte in bytes {
        guard let item = reader.add(byte) else { continue }
        check(byte == 10 && reader.isAtLineStart, "an item within a line")
        check((item == .heading) == (lines == 0), "\(item) is line \(lines)")
        lines += 1
    }
    check(lines == bytes.count { $0 == 10 }, "\(lines) lines")
}

/// The names that are looked for among the alternative ones.
private let names: [StaticString] = ["eth0", "a", "enp3s0", "an-alternative-name"]

/// What the messages of a datagram say, up to what can't be read.
private struct Walk {
    /// Items in words, so that those of two readers can be compared.
    var items: [String] = []
    var isMalformed = false
    var areInterrupted = false

    init(_ datagram: [UInt8]) {
        var messages = RouteMessages()
        do throws(NetlinkFault) {
            while let item = try messages.next(in: datagram.span) { items.append(Walk.words(item, datagram)) }
        } catch {
            isMalformed = true
        }
        areInterrupted = messages.areInterrupted
        check(items.count <= datagram.count / 16, "\(items.count) messages in \(datagram.count) bytes")
    }

    private static func words(_ item: RouteMessages.Item, _ datagram: [UInt8]) -> String {
        switch item {
        case .gone(let index): return "gone \(index)"
        case .address(let address): return "address \(bytes(of: address))"
        case .addressRemoved: return "an address less"
        case .endOfList: return "end"
        case .refused(let code): return "refused \(code)"
        case .other: return "other"
        case .link(let link):
            let properties = link.properties
            check((0...datagram.count).contains(properties.upperBound), "properties \(properties) are outside")
            let known = names.filter { link.isOf(request($0), in: datagram.span) }.map { "\($0)" }
            return "link \(link.index) \(link.isUp) \(bytes(of: link.name)) \(known)"
        }
    }

    private static func bytes(of address: Address) -> [UInt8] {
        let number = address.isIPv4 ? 4 : 16
        return (0..<number).map { index in
            let half = index < number - 8 ? address.high : address.low
            return UInt8(truncatingIfNeeded: half >> UInt64((number - 1 - index) % 8 * 8))
        }
    }

    private static func request(_ name: StaticString) -> RequestedName {
        let text = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        guard let request = unsafe RequestedName(CString(unsafe: text)) else { fatalError("\(name) is no name") }
        return request
    }

    private static func bytes(of name: InterfaceName) -> [UInt8] {
        var bytes: [UInt8] = []
        do throws(SystemError) {
            try unsafe name.withCString { (text) throws(SystemError) in
                var index = 0
                while unsafe text[index] != 0 {
                    bytes.append(UInt8(bitPattern: unsafe text[index]))
                    index += 1
                }
            }
        } catch {
            check(false, "a name has no bytes")
        }
        return bytes
    }
}

/// Less of a datagram says the same, up to where it ends: what was read does not depend on what follows.
private func checkPrefixes(_ datagram: [UInt8], _ walk: Walk) {
    for length in stride(from: datagram.count - 1, to: 0, by: -7) {
        let part = Walk(Array(datagram.prefix(length)))
        check(walk.items.starts(with: part.items), "the first \(length) bytes say \(part.items) of \(walk.items)")
    }
}

/// Takes messages off the front of a datagram, in little endian as this runs (RFC 3549, linux/rtnetlink.h).
private struct SlowWalk {
    var items: [String] = []
    var isMalformed = false
    var areInterrupted = false

    init(_ datagram: [UInt8]) {
        var rest = datagram
        while !rest.isEmpty {
            guard rest.count >= 16, (16...rest.count).contains(number(rest[0..<4])) else {
                isMalformed = true
                return
            }
            let length = number(rest[0..<4])
            if number(rest[6..<8]) & 0x10 != 0 { areInterrupted = true }
            guard let item = SlowWalk.item(number(rest[4..<6]), Array(rest[16..<length]))
            else {
                isMalformed = true
                return
            }
            items.append(item)
            rest = Array(rest.dropFirst(padded(length)))
        }
    }

    /// What a message says in words, `nil` if it can't be read.
    private static func item(_ type: Int, _ body: [UInt8]) -> String? {
        switch type {
        case 3: return "end"
        case 2:
            guard body.count >= 4 else { return nil }
            return "refused \(0 &- signed(body[0..<4]))"
        case 16, 17:
            guard body.count >= 16 else { return nil }
            if body[0] != 0 { return "other" }
            let index = signed(body[4..<8])
            return type == 17 ? "gone \(index)" : link(index, body)
        case 20: return address(body)
        case 21: return "an address less"
        default: return "other"
        }
    }

    private static func address(_ body: [UInt8]) -> String? {
        guard body.count >= 8 else { return nil }
        let (attributes, isWhole) = SlowWalk.attributes(Array(body.dropFirst(8)))
        guard isWhole, let value = (attributes.last { $0.type == 2 } ?? attributes.last { $0.type == 1 })?.value
        else { return nil }
        if body[0] != 2 && body[0] != 10 { return "other" }
        let length = body[0] == 2 ? 4 : 16
        return value.count < length ? nil : "address \(Array(value.prefix(length)))"
    }

    private static func link(_ index: Int32, _ body: [UInt8]) -> String? {
        let (attributes, isWhole) = SlowWalk.attributes(Array(body.dropFirst(16)))
        var name: [UInt8]?
        var properties: [UInt8] = []
        for (type, value) in attributes {
            if type == 3 { name = ownName(value) }
            if type == 52 { properties = value }
        }
        guard isWhole, let name else { return nil }
        let others = SlowWalk.attributes(properties).found.filter { $0.type == 53 }
        let known = names.map { "\($0)" }.filter { wanted in
            let bytes = Array(wanted.utf8)
            return name == bytes
                || others.contains { $0.value.prefix { $0 != 0 }.elementsEqual(bytes) }
        }
        return "link \(index) \(body[8] % 2 == 1) \(name) \(known)"
    }

    /// The attributes up to one that can't be read, and whether there is none of these.
    private static func attributes(_ bytes: [UInt8]) -> (found: [(type: Int, value: [UInt8])], isWhole: Bool) {
        var found: [(type: Int, value: [UInt8])] = []
        var rest = bytes
        while !rest.isEmpty {
            guard rest.count >= 4, (4...rest.count).contains(number(rest[0..<2])) else { return (found, false) }
            let length = number(rest[0..<2])
            found.append((number(rest[2..<4]) % 0x4000, Array(rest[4..<length])))
            rest = Array(rest.dropFirst(padded(length)))
        }
        return (found, true)
    }

    /// The name of an interface: 1 to 15 bytes before a zero or the end.
    private static func ownName(_ value: [UInt8]) -> [UInt8]? {
        let name = Array(value.prefix { $0 != 0 })
        return (1...15).contains(name.count) ? name : nil
    }
}

private func padded(_ length: Int) -> Int { length % 4 == 0 ? length : length + 4 - length % 4 }

private func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 * 256 + Int($1) } }

private func signed(_ bytes: ArraySlice<UInt8>) -> Int32 { Int32(truncatingIfNeeded: number(bytes)) }
