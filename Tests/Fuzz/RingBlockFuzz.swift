import CLinux
import ScanCore
import System

/// The input is a block of the ring as the kernel fills it: the packets that are found are compared with those that a
/// slow reader finds, which shares no code with it. None leads outside the block, whatever is in it.
@c(LLVMFuzzerTestOneInput)
public func ringBlockFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let block = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    checkBlock(block)
    // Most blocks end in room that no packet took.
    checkBlock(block + [UInt8](repeating: 0xa5, count: 64))
    return 0
}

private func checkBlock(_ block: [UInt8]) {
    let walk = Walk(block)
    let expected = SlowBlock(block)
    check(walk.packets == expected.packets, "\(walk.packets) where the slow reader finds \(expected.packets)")
    check(walk.isMalformed == expected.isMalformed, "malformed is \(walk.isMalformed)")
    for packet in walk.packets {
        check((0...block.count).contains(packet.bytes.upperBound), "a packet at \(packet.bytes) is outside")
    }
    // Each but the last is followed by another's head: the walk ends, however many are said to be there.
    check(walk.packets.count <= block.count / 48 + 1, "\(walk.packets.count) packets in \(block.count) bytes")
}

/// The packets of a block, up to what can't be read.
private struct Walk {
    var packets: [RingPacket] = []
    var isMalformed = false

    init(_ block: [UInt8]) {
        do throws(PacketFault) {
            var packets = try RingBlock(block.span)
            while let packet = try packets.nextPacket(in: block.span) { self.packets.append(packet) }
            check(try packets.nextPacket(in: block.span) == nil, "a packet follows the last")
        } catch {
            check(error == .malformed, "the fault is \(error)")
            isMalformed = true
        }
    }
}

/// Reads a block by the places of its fields (linux/if_packet.h), in little endian as this runs.
private struct SlowBlock {
    var packets: [RingPacket] = []
    var isMalformed = true

    init(_ block: [UInt8]) {
        guard let count = number(block, 12, 4), let first = number(block, 16, 4), let end = number(block, 20, 4),
            end <= block.count
        else { return }
        var head = first
        for index in 0..<count {
            guard let packet = SlowBlock.packet(block, head, end), let step = number(block, head, 4) else { return }
            // The next one can't begin in the head of this one.
            if index < count - 1 && step < 48 { return }
            packets.append(packet)
            head += step
        }
        isMalformed = false
    }

    /// A packet whose head, and as much of its address as is of interest, is in the block, and whose bytes are before
    /// the end.
    private static func packet(_ block: [UInt8], _ head: Int, _ end: Int) -> RingPacket? {
        guard head + 59 <= block.count else { return nil }
        let field = { (offset: Int, width: Int) in number(block, head + offset, width) ?? 0 }
        let start = head + field(24, 2)
        guard start + field(12, 4) <= end else { return nil }
        return RingPacket(
            bytes: start..<start + field(12, 4),
            realTime: Int64(field(4, 4)) * 1_000_000_000 + Int64(field(8, 4)), length: field(16, 4),
            etherType: UInt16(block[head + 50]) << 8 | UInt16(block[head + 51]), isTagged: field(20, 4) & 0x10 != 0,
            tag: UInt16(field(32, 4) & 0xffff), kind: block[head + 58],
            interface: Int32(truncatingIfNeeded: field(52, 4)), hardwareType: UInt16(field(56, 2)))
    }
}

/// A number of some bytes; `nil` if they are not all there.
private func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> Int? {
    guard offset + width <= bytes.count else { return nil }
    return (0..<width).reversed().reduce(0) { $0 * 256 + Int(bytes[offset + $1]) }
}
