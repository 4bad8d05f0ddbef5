import CLinux
import ScanCore

/// The part of the program that keeps what the host sends if it is an ``OwnAnswer``, and drops the rest of what it sends.
/// It stands last, so that programs without it are the same.
extension RingFilter {
    /// Makes packets that leave jump to it. Returns the jump.
    mutating func enterOwnAnswers() -> Int {
        append(.load(BPF_W, BPF_ABS, RingFilter.beside(SKF_AD_PKTTYPE)))
        append(.jump(BPF_JEQ, UInt32(PACKET_OUTGOING), 0, 1))
        return appendJump()
    }

    /// Appends it behind everything else.
    mutating func appendOwnAnswers(from entry: Int) {
        land(entry)
        append(.load(BPF_W, BPF_ABS, RingFilter.beside(SKF_AD_PROTOCOL)))
        append(.jump(BPF_JEQ, UInt32(EtherType.ipv4), 3, 0))
        append(.jump(BPF_JEQ, UInt32(EtherType.ipv6), 0, 1))
        let toIPv6 = appendJump()
        append(.verdict(0))
        let fromTCP = appendAnswerIPv4()
        land(toIPv6)
        appendAnswerIPv6()
        land(fromTCP)
        appendAnswerFlags()
    }

    /// Returns the jump of TCP, with its flags in A.
    private mutating func appendAnswerIPv4() -> Int {
        append(.load(BPF_H, BPF_ABS, 6))
        append(.jump(BPF_JSET, 0x3fff, 4, 0))  // a fragment
        append(.instruction(BPF_LDX | BPF_B | BPF_MSH, 0))
        append(.load(BPF_B, BPF_ABS, 9))
        append(.jump(BPF_JEQ, UInt32(IPProtocol.tcp), 3, 0))
        append(.jump(BPF_JEQ, UInt32(IPProtocol.icmp), 1, 0))
        append(.verdict(0))
        append(.instruction(BPF_JMP | BPF_JA, 2))
        append(.load(BPF_B, BPF_IND, 13))
        let fromTCP = appendJump()
        append(.load(BPF_B, BPF_IND, 0))
        append(.jump(BPF_JEQ, 3, 1, 0))
        append(.verdict(0))
        append(.load(BPF_B, BPF_IND, 1))
        let codes = OwnAnswer.codes
        for index in codes.indices { append(.jump(BPF_JEQ, UInt32(codes[index]), UInt8(codes.count - index), 0)) }
        append(.verdict(0))
        append(.verdict(RingFilter.errorLength))
        return fromTCP
    }

    /// Continues behind itself, with the flags of TCP in A.
    private mutating func appendAnswerIPv6() {
        append(.load(BPF_B, BPF_ABS, 6))
        let codes = OwnAnswer.codesIPv6
        append(.jump(BPF_JEQ, UInt32(IPProtocol.tcp), UInt8(codes.count + 5), 0))
        append(.jump(BPF_JEQ, UInt32(IPProtocol.icmpv6), 1, 0))
        append(.verdict(0))
        append(.load(BPF_H, BPF_ABS, 40))
        for index in codes.indices { append(.jump(BPF_JEQ, UInt32(codes[index]), UInt8(codes.count - index), 0)) }
        append(.verdict(0))
        append(.verdict(RingFilter.errorLength))
        append(.load(BPF_B, BPF_ABS, 40 + 13))
    }

    private mutating func appendAnswerFlags() {
        append(.jump(BPF_JSET, UInt32(TCPFlags.rst.rawValue), 2, 0))
        let accepted = UInt32(TCPFlags.syn.union(.ack).rawValue)
        append(.instruction(BPF_ALU | BPF_AND | BPF_K, accepted))
        append(.jump(BPF_JEQ, accepted, 0, 1))
        append(.verdict(RingFilter.headerLength))
        append(.verdict(0))
    }
}
