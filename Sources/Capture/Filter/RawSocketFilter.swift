import CLinux
import ScanCore
import System

/// Classic BPF programs that the kernel runs on each packet of a socket (socket(7), SO_ATTACH_FILTER).
///
/// They drop ``EstablishedData``. They are only a hint: packets from before they were attached still arrive, and are
/// checked again.
enum RawSocketFilter {
    /// For a socket whose packets begin with the IPv4 header.
    static var ipv4: InlineArray<8, sock_filter> {
        [
            load(BPF_H, BPF_ABS, 6),  // flags and fragment offset
            jump(BPF_JSET, 0x3fff, 4, 0),  // a fragment: accept
            load(BPF_B, BPF_MSH, 0),  // X = length of the IPv4 header
            load(BPF_B, BPF_IND, 13),  // flags of TCP
            jump(BPF_JEQ, UInt32(EstablishedData.acknowledged.rawValue), 2, 0),
            jump(BPF_JEQ, UInt32(EstablishedData.pushed.rawValue), 1, 0),
            verdict(accept),
            verdict(drop),
        ]
    }

    /// For a socket whose packets begin with the TCP header, as IPv6 raw sockets do.
    static var tcp: InlineArray<5, sock_filter> {
        [
            load(BPF_B, BPF_ABS, 13),
            jump(BPF_JEQ, UInt32(EstablishedData.acknowledged.rawValue), 2, 0),
            jump(BPF_JEQ, UInt32(EstablishedData.pushed.rawValue), 1, 0),
            verdict(accept),
            verdict(drop),
        ]
    }

    private static let accept: UInt32 = .max  // as many bytes as there are
    private static let drop: UInt32 = 0

    private static func load(_ size: Int32, _ mode: Int32, _ offset: UInt32) -> sock_filter {
        mode == BPF_MSH ? .instruction(BPF_LDX | size | mode, offset) : .load(size, mode, offset)
    }

    private static func jump(_ test: Int32, _ value: UInt32, _ ifTrue: UInt8, _ ifFalse: UInt8) -> sock_filter {
        .jump(test, value, ifTrue, ifFalse)
    }

    private static func verdict(_ length: UInt32) -> sock_filter { .verdict(length) }
}

/// The classic BPF instructions that the filters consist of (linux/filter.h).
extension sock_filter {
    /// Any instruction but a jump.
    static func instruction(_ code: Int32, _ operand: UInt32 = 0) -> sock_filter {
        sock_filter(code: UInt16(code), jt: 0, jf: 0, k: operand)
    }

    /// A = bytes of the packet, in network order.
    static func load(_ size: Int32, _ mode: Int32, _ offset: UInt32) -> sock_filter {
        .instruction(BPF_LD | size | mode, offset)
    }

    /// Compares A with a value, and skips `ifTrue` or `ifFalse` instructions.
    static func jump(_ test: Int32, _ value: UInt32, _ ifTrue: UInt8, _ ifFalse: UInt8) -> sock_filter {
        sock_filter(code: UInt16(BPF_JMP | test | BPF_K), jt: ifTrue, jf: ifFalse, k: value)
    }

    /// Ends the program: `length` bytes of the packet are kept; 0 drops it.
    static func verdict(_ length: UInt32) -> sock_filter { .instruction(BPF_RET | BPF_K, length) }
}
