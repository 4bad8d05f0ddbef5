import CLinux

@testable import Capture
import System

extension RingFilter {
    /// The instructions in use. To be asked for once, not for each packet: the compiler copies all of them for each one.
    var program: [sock_filter] { (0..<count).map { instructions[$0] } }
}

/// Runs classic BPF as the kernel does (Documentation/networking/filter.rst).
struct FilterMachine {
    /// What the kernel tells beside a packet.
    var etherType: UInt16 = 0x0800
    var kind = UInt8(PACKET_HOST)
    var interface: Int32 = 1

    /// How many bytes of a packet are kept; `nil` if the program leaves itself or holds what the kernel does not know.
    func verdict(of program: [sock_filter], on packet: [UInt8]) -> Int? {
        var (a, x): (UInt32, UInt32) = (0, 0)
        var memory = [UInt32](repeating: 0, count: Int(BPF_MEMWORDS))
        var place = 0
        while place < program.count {
            let step = program[place]
            let code = Int32(step.code)
            let operand = code & BPF_X != 0 ? x : step.k
            place += 1
            switch code & 7 {
            case BPF_LD, BPF_LDX:
                guard let value = load(step, x, memory, packet) else { return 0 }  // past the end: dropped
                if code & 7 == BPF_LD { a = value } else { x = value }
            case BPF_ST: memory[Int(step.k)] = a
            case BPF_STX: memory[Int(step.k)] = x
            case BPF_ALU:
                if code & 0xf0 == BPF_DIV && operand == 0 { return 0 }
                guard let value = FilterMachine.calculate(code & 0xf0, a, operand) else { return nil }
                a = value
            case BPF_JMP:
                switch code & 0xf0 {
                case BPF_JA: place += Int(step.k)
                case BPF_JEQ: place += Int(a == operand ? step.jt : step.jf)
                case BPF_JGT: place += Int(a > operand ? step.jt : step.jf)
                case BPF_JGE: place += Int(a >= operand ? step.jt : step.jf)
                case BPF_JSET: place += Int(a & operand != 0 ? step.jt : step.jf)
                default: return nil
                }
            case BPF_RET: return Int(code & 0x18 == BPF_A ? a : step.k)
            case BPF_MISC: if code & 0xf8 == BPF_TXA { a = x } else { x = a }
            default: return nil
            }
        }
        return nil
    }

    // Wrapping is meant: as in C.
    private static func calculate(_ operation: Int32, _ a: UInt32, _ operand: UInt32) -> UInt32? {
        switch operation {
        case BPF_ADD: a &+ operand
        case BPF_SUB: a &- operand
        case BPF_MUL: a &* operand
        case BPF_DIV: a / operand
        case BPF_AND: a & operand
        case BPF_OR: a | operand
        case BPF_XOR: a ^ operand
        case BPF_LSH: a &<< operand
        case BPF_RSH: a &>> operand
        case BPF_NEG: 0 &- a
        default: nil
        }
    }

    /// What a load gives, or `nil` past the end of the packet.
    private func load(_ step: sock_filter, _ x: UInt32, _ memory: [UInt32], _ packet: [UInt8]) -> UInt32? {
        let code = Int32(step.code)
        switch code & 0xe0 {
        case BPF_IMM: return step.k
        case BPF_MEM: return memory[Int(step.k)]
        case BPF_LEN: return UInt32(packet.count)
        case BPF_MSH: return bytes(step.k, 1, packet).map { ($0 & 15) * 4 }
        default: break
        }
        let width = code & 0x18 == BPF_W ? 4 : code & 0x18 == BPF_H ? 2 : 1
        return bytes(code & 0xe0 == BPF_IND ? x &+ step.k : step.k, width, packet)  // as in C
    }

    private func bytes(_ offset: UInt32, _ width: Int, _ packet: [UInt8]) -> UInt32? {
        switch Int32(bitPattern: offset) {
        case SKF_AD_OFF + SKF_AD_PROTOCOL: return UInt32(etherType)
        case SKF_AD_OFF + SKF_AD_PKTTYPE: return UInt32(kind)
        case SKF_AD_OFF + SKF_AD_IFINDEX: return UInt32(bitPattern: interface)
        default: break
        }
        let start = Int(offset)
        guard start <= packet.count - width else { return nil }
        var value: UInt32 = 0
        for place in start..<start + width { value = value << 8 | UInt32(packet[place]) }
        return value
    }
}
