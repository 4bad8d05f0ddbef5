import CLinux
import ScanCore
import System
import Testing

@testable import Capture

/// A block as the kernel fills it (packet_mmap.rst of its documentation).
struct TestBlock {
    private(set) var bytes: [UInt8]
    private var last: Int?
    private var end = 48

    init(size: Int = 4096) {
        bytes = [UInt8](repeating: 0, count: size)
        write(UInt32(1), at: 8)  // block_status
        write(UInt32(48), at: 16)  // offset_to_first_pkt
        write(UInt32(48), at: 20)  // blk_len
    }

    mutating func write<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        for index in 0..<Number.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (index * 8))  // little endian, as tests run
        }
    }

    /// Adds a packet; returns where its head is.
    @discardableResult
    mutating func add(
        _ packet: [UInt8], etherType: UInt16 = 0x0800, realTime: Int64 = 1_700_000_000_000_000_001,
        kind: Int32 = PACKET_HOST, interface: Int32 = 1, hardwareType: UInt16 = 1, status: UInt32 = 1,
        length: Int? = nil, tag: UInt16 = 0
    ) -> Int {
        let head = end
        if let last { write(UInt32(head - last), at: last) }
        last = head
        write(UInt32(realTime / 1_000_000_000), at: head + 4)
        write(UInt32(realTime % 1_000_000_000), at: head + 8)
        write(UInt32(packet.count), at: head + 12)
        write(UInt32(length ?? packet.count), at: head + 16)
        write(status, at: head + 20)
        write(UInt16(96), at: head + 24)
        write(UInt16(96), at: head + 26)
        write(UInt32(tag), at: head + 32)
        write(etherType.bigEndian, at: head + 48 + 2)
        write(interface, at: head + 48 + 4)
        write(hardwareType, at: head + 48 + 8)
        write(UInt8(kind), at: head + 48 + 10)
        bytes.replaceSubrange(head + 96..<head + 96 + packet.count, with: packet)
        end = (head + 96 + packet.count + 7) & ~7
        write(UInt32(end), at: 20)
        write(bytes[12] + 1, at: 12)
        return head
    }

    /// The packets that are found, and what ended the walk.
    func walk() -> (packets: [RingPacket], fault: PacketFault?) {
        var found: [RingPacket] = []
        do throws(PacketFault) {
            var packets = try RingBlock(bytes.span)
            while let packet = try packets.nextPacket(in: bytes.span) { found.append(packet) }
            return (found, nil)
        } catch {
            return (found, error)
        }
    }
}

struct RingBlockTests {
    @Test func theLayoutIsTheKernels() {
        #expect(MemoryLayout<tpacket3_hdr>.size == 48)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_sec) == 4)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_nsec) == 8)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_snaplen) == 12)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_len) == 16)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_status) == 20)
        #expect(MemoryLayout<tpacket3_hdr>.offset(of: \.tp_mac) == 24)
        // Behind it tp_net, and in a union the hash and the tag: 2, 4 and 2 bytes, with 2 of padding.
        #expect(MemoryLayout<tpacket_hdr_variant1>.offset(of: \.tp_vlan_tci) == 4)
        #expect(MemoryLayout<sockaddr_ll>.offset(of: \.sll_protocol) == 2)
        #expect(MemoryLayout<sockaddr_ll>.offset(of: \.sll_ifindex) == 4)
        #expect(MemoryLayout<sockaddr_ll>.offset(of: \.sll_pkttype) == 10)
        #expect(MemoryLayout<tpacket_hdr_v1>.offset(of: \.num_pkts) == 4)
        #expect(MemoryLayout<tpacket_hdr_v1>.offset(of: \.offset_to_first_pkt) == 8)
        #expect(MemoryLayout<tpacket_hdr_v1>.offset(of: \.blk_len) == 12)
    }

    @Test func everyPacketIsFoundWithAllThatIsToldOfIt() {
        var block = TestBlock()
        block.add([1, 2, 3], realTime: 5_000_000_007)
        block.add([4], etherType: 0x86dd, kind: PACKET_OUTGOING, interface: 7, status: 0x51, length: 900)
        block.add([])
        let (packets, fault) = block.walk()
        #expect(fault == nil)
        #expect(packets.map { Array(block.bytes[$0.bytes]) } == [[1, 2, 3], [4], []])
        #expect(packets[0].realTime == 5_000_000_007)
        #expect(packets.map(\.etherType) == [0x0800, 0x86dd, 0x0800])
        #expect(packets.map(\.kind) == [0, 4, 0])
        #expect(packets.map(\.interface) == [1, 7, 1])
        #expect(packets.map(\.isTagged) == [false, true, false])
        #expect(packets.map(\.length) == [3, 900, 0])
    }

    @Test func aBlockWithoutPacketsHasNone() {
        #expect(TestBlock().walk().packets.isEmpty)
        #expect(TestBlock().walk().fault == nil)
    }

    @Test func aBlockThatIsTooShortForItsHeadIsMalformed() {
        for size in 0..<24 {
            #expect(throws: PacketFault.malformed) {
                _ = try RingBlock([UInt8](repeating: 0, count: size).span)
            }
        }
    }

    @Test func lengthsThatLeadOutOfTheBlockAreMalformed() {
        func fault(_ change: (inout TestBlock, Int) -> Void) -> PacketFault? {
            var block = TestBlock()
            let head = block.add([1, 2, 3, 4])
            block.add([5])
            change(&block, head)
            return block.walk().fault
        }
        #expect(fault { _, _ in } == nil)
        #expect(fault { block, _ in block.write(UInt32(4097), at: 20) } == .malformed)
        #expect(fault { block, _ in block.write(UInt32.max, at: 20) } == .malformed)
        #expect(fault { block, _ in block.write(UInt32.max, at: 16) } == .malformed)
        #expect(fault { block, _ in block.write(UInt32(4096 - 50), at: 16) } == .malformed)
        #expect(fault { block, head in block.write(UInt32.max, at: head) } == .malformed)
        #expect(fault { block, head in block.write(UInt32(0), at: head) } == .malformed)
        #expect(fault { block, head in block.write(UInt32(47), at: head) } == .malformed)
        #expect(fault { block, head in block.write(UInt32.max, at: head + 12) } == .malformed)
        #expect(fault { block, head in block.write(UInt16.max, at: head + 24) } == .malformed)
        #expect(fault { block, _ in block.write(UInt32(3), at: 12) } == .malformed)
    }

    @Test func theLastBytesOfABlockCanBeAPacket() {
        var block = TestBlock(size: 48 + 96 + 8)
        block.add([UInt8](repeating: 9, count: 8))
        #expect(block.walk().packets.map(\.bytes) == [144..<152])
        var longer = block
        longer.write(UInt32(9), at: 48 + 12)
        #expect(longer.walk().fault == .malformed)
    }

    @Test(arguments: [11, 12, 13] as [UInt64]) func noBlockLeadsOutsideItself(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<5_000 {
            var block = TestBlock(size: 1024)
            for _ in 0..<4 { block.add([UInt8](repeating: 1, count: Int.random(in: 0...80, using: &numbers))) }
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let place = Int.random(in: 8..<1020, using: &numbers)
                block.write(UInt32.random(in: 0...UInt32.max, using: &numbers) >> (numbers.next() % 32), at: place)
            }
            let (packets, _) = block.walk()
            #expect(packets.count <= 22, "seed \(seed)")
            for packet in packets { #expect(packet.bytes.upperBound <= 1024, "seed \(seed)") }
        }
    }
}
