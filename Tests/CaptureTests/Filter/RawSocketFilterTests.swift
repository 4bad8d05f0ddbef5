import CLinux
import ScanCore
import System
import Testing

@testable import Capture

/// Runs a filter in the kernel, on a pair of sockets that needs no privilege.
///
/// - Returns: whether the packet comes through.
private func kernelAccepts<let count: Int>(
    _ packet: [UInt8], _ program: InlineArray<count, sock_filter>
) throws -> Bool {
    var numbers: [Int32] = [-1, -1]
    let made = unsafe socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &numbers)
    try #require(made == 0)
    let sender = Descriptor(owning: numbers[0])
    let receiver = Socket(adopting: numbers[1], name: "test socket")
    try receiver.attach(program.span)
    try #require(unsafe send(sender.number, packet, packet.count, 0) == packet.count)
    var buffer = [UInt8](repeating: 0, count: packet.count + 1)
    let received = unsafe recv(receiver.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if received < 0 { return false }
    #expect(Array(buffer.prefix(received)) == packet)
    return true
}

private func tcpHeader(flags: UInt8) -> [UInt8] {
    [0x9c, 0x40, 0, 22] + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, flags, 4, 0] + [0, 0, 0, 0]
}

private func ipv4Packet(flags: UInt8, options: Int = 0, fragment: UInt16 = 0) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 20 + options)
    header[0] = 0x40 | UInt8(header.count / 4)
    header[3] = UInt8(header.count + 20)
    header[6] = UInt8(fragment >> 8)
    header[7] = UInt8(fragment & 0xff)
    header[8] = 64
    header[9] = 6
    return header + tcpHeader(flags: flags)
}

struct RawSocketFilterTests {
    @Test func onlyEstablishedDataIsDroppedBeforeItReachesTheIPv6Socket() throws {
        for flags in UInt8.min...UInt8.max {
            let accepted = try kernelAccepts(tcpHeader(flags: flags), RawSocketFilter.tcp)
            #expect(accepted != TCPFlags(rawValue: flags).isEstablishedData, "flags \(flags)")
        }
    }

    @Test func onlyEstablishedDataIsDroppedBeforeItReachesTheIPv4Socket() throws {
        for flags in UInt8.min...UInt8.max {
            let accepted = try kernelAccepts(ipv4Packet(flags: flags), RawSocketFilter.ipv4)
            #expect(accepted != TCPFlags(rawValue: flags).isEstablishedData, "flags \(flags)")
        }
    }

    @Test(arguments: [0, 4, 36, 40]) func theFlagsAreFoundBehindIPv4Options(length: Int) throws {
        #expect(try !kernelAccepts(ipv4Packet(flags: 0x10, options: length), RawSocketFilter.ipv4))
        #expect(try !kernelAccepts(ipv4Packet(flags: 0x18, options: length), RawSocketFilter.ipv4))
        #expect(try kernelAccepts(ipv4Packet(flags: 0x02, options: length), RawSocketFilter.ipv4))
    }

    @Test(arguments: [0x2000, 0x0001, 0x2001, 0x1fff]) func fragmentsAreNeverDropped(fields: UInt16) throws {
        #expect(try kernelAccepts(ipv4Packet(flags: 0x10, fragment: fields), RawSocketFilter.ipv4))
    }

    @Test func dontFragmentIsNoFragment() throws {
        #expect(try !kernelAccepts(ipv4Packet(flags: 0x10, fragment: 0x4000), RawSocketFilter.ipv4))
    }
}
