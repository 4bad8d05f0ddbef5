import CLinux

@testable import Capture

/// Runs classic BPF as the kernel does (Documentation/networking/filter.rst): as much of it as our filters use.
struct FilterMachine {
    /// What the kernel tells beside a packet.
    var etherType: UInt16 = 0x0800
    var kind = UInt8(PACKET_HOST)
    var interface: Int32 = 1

    /// How many bytes of a packet are kept; `nil` if the program leaves itself or holds what we don't know.
    func verdict(of filter: CookedFilter, on packet: [UInt8]) -> Int? {
        var (a, x): (UInt32, UInt32) = (0, 0)
        var place = 0
        while place < filter.count {
            let step = filter.instructions[place]
            place += 1
            switch Int32(step.code) {
            case BPF_LDX | BPF_IMM: x = step.k
            case BPF_LD | BPF_W | BPF_ABS:
                a =
                    load(step.k, 4, packet)
                    ?? {
                        place = .max; return 0
                    }()
            case BPF_LD | BPF_H | BPF_ABS:
                a =
                    load(step.k, 2, packet)
                    ?? {
                        place = .max; return 0
                    }()
            case BPF_LD | BPF_B | BPF_ABS:
                a =
                    load(step.k, 1, packet)
                    ?? {
                        place = .max; return 0
                    }()
            case BPF_LD | BPF_H | BPF_IND:
                a =
                    load(x + step.k, 2, packet)
                    ?? {
                        place = .max; return 0
                    }()
            case BPF_LD | BPF_B | BPF_IND:
                a =
                    load(x + step.k, 1, packet)
                    ?? {
                        place = .max; return 0
                    }()
            case BPF_ALU | BPF_AND | BPF_K: a &= step.k
            case BPF_ALU | BPF_LSH | BPF_K: a <<= step.k
            case BPF_ALU | BPF_ADD | BPF_X: a &+= x  // as in C
            case BPF_MISC | BPF_TAX: x = a
            case BPF_JMP | BPF_JA: place += Int(step.k)
            case BPF_JMP | BPF_JEQ | BPF_K: place += Int(a == step.k ? step.jt : step.jf)
            case BPF_JMP | BPF_JSET | BPF_K: place += Int(a & step.k != 0 ? step.jt : step.jf)
            case BPF_RET | BPF_K: return Int(step.k)
            default: return nil
            }
        }
        return place == .max ? 0 : nil  // a load past the end drops the packet
    }

    private func load(_ offset: UInt32, _ width: Int, _ packet: [UInt8]) -> UInt32? {
        switch Int32(bitPattern: offset) {
        case SKF_AD_OFF + SKF_AD_PROTOCOL: return UInt32(etherType)
        case SKF_AD_OFF + SKF_AD_PKTTYPE: return UInt32(kind)
        case SKF_AD_OFF + SKF_AD_IFINDEX: return UInt32(bitPattern: interface)
        default: break
        }
        let start = Int(offset)
        guard start <= packet.count - width else { return nil }
        return packet[start..<start + width].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
