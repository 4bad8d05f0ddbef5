import CLinux
import ScanCore
import System
import Testing

@testable import Capture

struct LeftoverTagTests {
    private func offset(_ payload: [UInt8], _ etherType: UInt16, isTagged: Bool = true) throws -> Int {
        let packet = RingPacket(
            bytes: 0..<payload.count, realTime: 0, length: payload.count, etherType: etherType, isTagged: isTagged,
            tag: 0,
            kind: 0, interface: 1, hardwareType: 1)
        return try packet.place(in: payload.span).offset
    }

    @Test func aPacketWithoutTagsInItBeginsAtOnce() throws {
        for isTagged in [false, true] {
            #expect(try offset(TestPacket.ipv4(TestPacket.tcp(flags: 2)), 0x0800, isTagged: isTagged) == 0)
            #expect(try offset(TestPacket.ipv6(TestPacket.tcp(flags: 2)), 0x86dd, isTagged: isTagged) == 0)
            let session = TestPacket.session(TestPacket.ipv4(TestPacket.tcp(flags: 2)))
            #expect(try offset(session, 0x8864, isTagged: isTagged) == 8)
        }
    }

    /// Every tag: also those that begin like an IP packet.
    @Test func tagsThatTheKernelDoesNotTellOfAreSkipped() throws {
        let ipv4 = TestPacket.ipv4(TestPacket.tcp(flags: 2))
        let ipv6 = TestPacket.ipv6(TestPacket.tcp(flags: 2))
        for tci in 0...0xffff {
            #expect(try offset(TestPacket.tag(ipv4, type: 0x0800, tci: tci), 0x0800) == 4)
            #expect(try offset(TestPacket.tag(ipv6, type: 0x86dd, tci: tci), 0x86dd) == 4)
        }
        for (innermost, type) in [(ipv4, 0x0800), (ipv6, 0x86dd)] {
            for priority in stride(from: 0, to: 0x10000, by: 0x1000) {
                for inner in stride(from: 0, to: 0x10000, by: 0x1000) {
                    let one = TestPacket.tag(innermost, type: type, tci: inner)
                    let two = TestPacket.tag(one, type: 0x88a8, tci: priority)
                    #expect(try offset(two, UInt16(type)) == 8)
                }
            }
        }
        let two = TestPacket.tag(TestPacket.tag(ipv4, type: 0x0800), type: 0x8100, tci: 0x4500)
        #expect(try offset(two, 0x0800) == 8)
        #expect(try offset(TestPacket.tag(TestPacket.session(ipv4), type: 0x8864), 0x8864) == 12)
    }

    @Test func aPacketWhoseLengthOrFlowIsATypeOfEthernetIsStillOne() throws {
        for type in [0x0800, 0x8100, 0x88a8, 0x86dd] {
            var ipv4 = TestPacket.ipv4(TestPacket.tcp(flags: 2) + [UInt8](repeating: 0, count: type - 40))
            var sum = 0
            for index in stride(from: 0, to: 20, by: 2) where index != 10 {
                sum += Int(ipv4[index]) << 8 | Int(ipv4[index + 1])
            }
            ipv4.replaceSubrange(10..<12, with: TestPacket.big(0xffff - sum % 0xffff))
            #expect(try offset(ipv4, 0x0800) == 0)
            var ipv6 = TestPacket.ipv6(TestPacket.tcp(flags: 2))
            ipv6.replaceSubrange(2..<4, with: TestPacket.big(type))
            #expect(try offset(ipv6, 0x86dd) == 0)
        }
    }

    @Test func tagsThatTheKernelTellsOfAreSkipped() throws {
        #expect(try offset(TestPacket.tag(TestPacket.ipv4([]), type: 0x0800), 0x8100) == 4)
    }
}
