import CLinux
import ScanCore
import System
import Testing

@testable import Capture

/// A socket of the test's own on the loopback interface, at a port that the kernel chose.
private struct OwnSocket: ~Copyable {
    private let descriptor: Descriptor
    let port: UInt16

    init(family: Int32, isStream: Bool) throws {
        let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
        let number = try check("socket", "open") { socket(family, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        descriptor = Descriptor(owning: number)
        let isIPv4 = family == AF_INET
        // Both addresses begin with family and port; the loopback addresses stand 4 and 8 bytes from the start.
        var address = [UInt8](repeating: 0, count: isIPv4 ? 16 : 28)
        address[0] = UInt8(family)  // in host byte order, of the little-endian machines that there are
        if isIPv4 { address.replaceSubrange(4..<8, with: [127, 0, 0, 1]) } else { address[23] = 1 }
        var length = socklen_t(address.count)
        let result = unsafe address.withUnsafeMutableBytes { bytes -> Int32 in
            let pointer = unsafe bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            guard let pointer = unsafe pointer else { return -1 }
            if unsafe bind(number, .init(__sockaddr__: pointer), length) != 0 { return -1 }
            if isStream && listen(number, 1) != 0 { return -1 }
            return unsafe getsockname(number, .init(__sockaddr__: pointer), &length)
        }
        #expect(result == 0)
        port = UInt16(address[2]) << 8 | UInt16(address[3])
    }
}

/// What the kernel says of this host, whatever else is on it.
struct HostTests {
    @Test func thePortsOfSocketsAreKnownAsLongAsTheyAreOpen() throws {
        var host = OwnHost()
        #expect(!host.knowsPorts)
        let monitor = try HostMonitor(&host, key: .forTests)
        #expect(host.knowsPorts)
        #expect(monitor.clientPorts.lowest > 0)
        let isKnown = host.addresses.contains(Address(ipv4: 127 << 24 | 1), .forTests)
        #expect(isKnown)

        var sockets = try HostSockets(&host.ports)
        var ports: [UInt16] = []
        do {
            let tcp = try OwnSocket(family: AF_INET, isStream: true)
            let udp = try OwnSocket(family: AF_INET, isStream: false)
            try sockets.refresh(&host.ports)
            ports = [tcp.port, udp.port]
            let areKnown = [host.ports.tcp.contains(tcp.port), host.ports.udp.contains(udp.port)]
            #expect(areKnown == [true, true])
        }
        try sockets.refresh(&host.ports)
        let areKnown = [host.ports.tcp.contains(ports[0]), host.ports.udp.contains(ports[1])]
        #expect(areKnown == [false, false])
    }

    @Test(arguments: [SocketList.tcp, .tcp6, .udp, .udp6])
    func bothWaysToListSocketsKnowThem(list: SocketList) throws {
        let own = try OwnSocket(family: list.isIPv6 ? AF_INET6 : AF_INET, isStream: list.isTCP)
        let isConnected = try OwnSocket(family: AF_INET, isStream: true)
        var (byNetlink, byFile) = (PortMap(), PortMap())
        var dump = try SocketDump()
        try dump.read(list, into: &byNetlink)
        try SocketTable(list).read(into: &byFile)
        let areKnown = [byNetlink.contains(own.port), byFile.contains(own.port)]
        #expect(areKnown == [true, true])
        let isOfAnotherList = byNetlink.contains(isConnected.port) && list != .tcp
        #expect(!isOfAnotherList)
    }

    @Test func socketsAreListedOnceASecond() throws {
        var host = OwnHost()
        var monitor = try HostMonitor(&host, key: .forTests)
        guard case .notYet = monitor.updatePorts(of: &host) else {
            Issue.record("listed twice at once")
            return
        }
        guard case .done = monitor.updateAddresses(of: &host) else {
            Issue.record("no addresses")
            return
        }
        #expect(monitor.omittedAddresses == 0 || host.addresses.count == AddressSet.capacity)
    }
}

/// The lines of /proc/net and the messages of netlink are the kernel's: whatever is in them is read or refused.
struct HostParsingTests {
    @Test(arguments: [
        ("   1: 0100007F:0035 00000000:0000 0A", UInt16(53), UInt8(10)),
        ("1234567: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 07 0", 8080, 7),
    ])
    func aLineNamesPortAndState(line: String, port: UInt16, state: UInt8) {
        let bytes = Array(line.utf8)
        #expect(SocketTableLine.socket(in: bytes.span) == ListedSocket(port: port, state: state))
    }

    @Test(arguments: [
        "", "1:", "1: 0100007F", "1: 0100007F:0035 00000000:0000", "1: 0100007F:0035 00000000:0000 0",
        "1: 0100007F:0035 00000000:0000 0AB", "1: 0100007G:0035 00000000:0000 0A", "1: 0100007F:35 00000000:0000 0A",
        "x: 0100007F:0035 00000000:0000 0A", "1: 100007F:0035 00000000:0000 0A",
    ])
    func aLineOfAnotherFormIsRefused(line: String) {
        #expect(SocketTableLine.socket(in: Array(line.utf8).span) == nil)
    }

    @Test func aFileIsReadInAnyPieces() {
        let text = "  sl  local_address rem_address   st\n   0: 0100007F:0035 00000000:0000 0A rest\nbroken\n"
        var reader = SocketTableReader()
        #expect(reader.isAtLineStart)
        let items = Array(text.utf8).compactMap { reader.add($0) }
        #expect(items == [.heading, .socket(ListedSocket(port: 53, state: 10)), .malformed])
        #expect(reader.isAtLineStart)
    }

    @Test(arguments: [
        ("32768\t60999\n", UInt16?(32_768)), ("1024 65535\n", 1024), ("0\t1\n", nil), ("65536\t1\n", nil), ("", nil),
        ("32768", nil), ("x\t1", nil), ("99999999999999999999\t1", nil),
    ])
    func theRangeOfClientPortsIsRead(text: String, lowest: UInt16?) {
        #expect(EphemeralPorts(Array(text.utf8).span)?.lowest == lowest)
    }

    /// A message with a body of the kernel's kind and attributes.
    private func message(_ type: Int32, _ body: [UInt8], flags: UInt8 = 0) -> [UInt8] {
        let length = UInt8(16 + body.count)
        return [length, 0, 0, 0, UInt8(type), 0, flags, 0] + [UInt8](repeating: 0, count: 8) + body
    }

    private func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [UInt8(4 + value.count), 0, type, 0] + value }

    private func items(_ datagram: [UInt8]) throws(NetlinkFault) -> [RouteMessages.Item] {
        var messages = RouteMessages()
        var items: [RouteMessages.Item] = []
        while let item = try messages.next(in: datagram.span) { items.append(item) }
        return items
    }

    @Test func theAddressOfThisEndOfALinkIsTheHosts() throws {
        let head: [UInt8] = [2, 32, 0, 0, 1, 0, 0, 0]
        let both = head + attribute(1, [10, 0, 0, 9]) + attribute(2, [10, 0, 0, 1])
        let one = [10] + head.dropFirst() + attribute(1, [0xfd] + [UInt8](repeating: 0, count: 14) + [7])
        let datagram = message(20, both) + message(20, one) + message(21, both) + message(3, [0, 0, 0, 0])
        #expect(
            try items(datagram) == [
                .address(Address(ipv4: 0x0a00_0001)), .address(Address(ipv6High: 0xfd << 56, low: 7)), .addressRemoved,
                .endOfList,
            ])
    }

    @Test func addressesCutAnywhereAreRefusedOrRead() throws {
        let whole = message(20, [2, 32, 0, 0, 1, 0, 0, 0] + attribute(2, [10, 0, 0, 1]))
        for count in 0..<whole.count {
            var cut = Array(whole.prefix(count))
            #expect((try? items(cut)) == (count == 0 ? [] : nil), "\(count)")
            if count < 16 { continue }
            cut[0] = UInt8(count)
            #expect((try? items(cut))?.contains(.address(Address(ipv4: 0x0a00_0001))) != true, "\(count)")
        }
        #expect(try items(message(2, [0xff, 0xff, 0xff, 0xff])) == [.refused(1)])
    }
}
