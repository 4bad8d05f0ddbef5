import CLinux
import ScanCore
import System

/// The classic BPF program of a cooked packet socket (packet(7), SOCK_DGRAM), whose packets begin behind the link-layer
/// header.
///
/// It keeps TCP, except for ``EstablishedData`` that is not a fragment, and all packets that it can't classify. It is
/// only a hint, and the packets that it keeps are checked again.
///
/// The kernel provides the protocol of the packet as metadata (socket(7), SKF_AD_PROTOCOL): IPv4 and IPv6 are also
/// recognized behind one VLAN tag that the kernel left in place, one tag of Cisco TrustSec or one label of MPLS (RFC
/// 3032), and in a PPPoE session (RFC 2516).
struct RingFilter {
    /// How many bytes are kept of a packet whose TCP header is at a known offset: PPPoE's header, which is as long as
    /// any, the longest IPv4 header (or IPv6's and a fragment header's), and the longest TCP header, which fragments
    /// may be reassembled to.
    static let headerLength: UInt32 = 8 + 60 + 60

    /// How many bytes are kept of a packet with extension headers, which may extend to its end: the maximum possible.
    static let chainLength: UInt32 = 8 + 40 + 65_535

    /// The program, in its first ``count`` instructions. Without ``OtherPackets`` the longest has 84: it selects
    /// ``InterfaceNames/most`` interfaces. These add 60, 70 for the protocols, 302 for a search of twice 64 ports, and
    /// up to 150 each for three comparisons of 16 addresses; own answers 43. Linux takes 4,096, and 20 kB for the programs of a socket.
    var instructions = InlineArray<1024, sock_filter>(repeating: .verdict(0))
    private(set) var count = 0

    /// Assembles the program.
    ///
    /// - Parameters:
    ///   - interfaces: the numbers of the interfaces whose packets are kept, or `nil` for all.
    ///   - direction: the direction of packets that are kept; loopback packets appear once in each.
    ///   - promiscuous: keeps frames for the link address of another host.
    ///   - interest: which segments are kept.
    ///   - others: which packets are kept beside the segments.
    ///   - ownAnswers: keeps, of those that leave, each that is an ``OwnAnswer``.
    init(
        interfaces: InterfaceIndexes?, direction: CaptureOptions.Direction, promiscuous: Bool,
        interest: CaptureOptions.Interest = .probes, others: OtherPackets? = nil, ownAnswers: Bool = false
    ) {
        append(.load(BPF_W, BPF_ABS, RingFilter.beside(SKF_AD_PKTTYPE)))
        if !promiscuous { appendDrop(ifEqual: UInt32(PACKET_OTHERHOST)) }
        switch direction {
        case .incoming where ownAnswers: break
        case .incoming: appendDrop(ifEqual: UInt32(PACKET_OUTGOING))
        case .outgoing: appendDrop(unlessEqual: UInt32(PACKET_OUTGOING))
        case .both: break
        }
        if let interfaces { appendTest(for: interfaces) }
        let toOwnAnswers = ownAnswers ? enterOwnAnswers() : nil
        var body = RingFilter.body
        if interest == .attempts {  // SYN, and not ACK
            let mask = UInt32(TCPFlags.syn.union(.ack).rawValue)
            body[RingFilter.flags] = .instruction(BPF_ALU | BPF_AND | BPF_K, mask)
            body[RingFilter.flags + 1] = RingFilter.branch(
                RingFilter.flags + 1, TCPFlags.syn.rawValue, to: RingFilter.keepHeaders, otherwise: RingFilter.drop)
        }
        if others != nil { RingFilter.enterOthers(&body) }
        for index in body.indices { append(body[index]) }
        if let others { appendOthers(others) }
        if let toOwnAnswers { appendOwnAnswers(from: toOwnAnswers) }
    }

    mutating func append(_ instruction: sock_filter) {
        instructions[count] = instruction
        count += 1
    }

    private mutating func appendDrop(ifEqual value: UInt32) {
        append(.jump(BPF_JEQ, value, 0, 1))
        append(.verdict(0))
    }

    private mutating func appendDrop(unlessEqual value: UInt32) {
        append(.jump(BPF_JEQ, value, 1, 0))
        append(.verdict(0))
    }

    private mutating func appendTest(for interfaces: InterfaceIndexes) {
        append(.load(BPF_W, BPF_ABS, RingFilter.beside(SKF_AD_IFINDEX)))
        for index in 0..<interfaces.count {
            // Over the other comparisons and the verdict behind them.
            let rest = UInt8(interfaces.count - index)
            append(.jump(BPF_JEQ, UInt32(bitPattern: interfaces[index]), rest, 0))
        }
        append(.verdict(0))
    }

    /// The offset of the kernel's metadata of a packet: beyond all offsets of bytes.
    static func beside(_ offset: Int32) -> UInt32 { UInt32(bitPattern: SKF_AD_OFF + offset) }

    /// The part common to all programs. X is the offset of the IP header, then that of IPv4's payload.
    private static var body: InlineArray<61, sock_filter> {
        let tcp = IPProtocol.tcp
        return [
            .instruction(BPF_LDX | BPF_IMM, 0),
            .load(BPF_W, BPF_ABS, beside(SKF_AD_PROTOCOL)),
            branch(2, EtherType.ipv4, to: ipv4),
            branch(3, EtherType.ipv6, to: ipv6),
            branch(4, EtherType.customerTag, to: vlan),
            branch(5, EtherType.providerTag, to: vlan),
            branch(6, EtherType.oldProviderTag, to: vlan),
            branch(7, EtherType.labels, to: labels),
            branch(8, EtherType.multicastLabels, to: labels),
            branch(9, EtherType.securityTag, to: securityTag),
            branch(10, EtherType.pppoeSession, to: pppoe, otherwise: drop),

            // 11, pppoe
            .instruction(BPF_LDX | BPF_IMM, 8),
            .load(BPF_H, BPF_ABS, 6),  // PPP's protocol
            branch(13, PPPProtocol.ipv4, to: ipv4),
            branch(14, PPPProtocol.ipv6, to: ipv6, otherwise: keepChain),

            // 15, securityTag
            .load(BPF_H, BPF_ABS, 0),  // version and length
            branch(16, 0x0101 as UInt16, to: 17, otherwise: keepChain),
            .instruction(BPF_LDX | BPF_IMM, 8),
            .load(BPF_H, BPF_ABS, 6),  // the protocol of what follows
            branch(19, EtherType.ipv4, to: ipv4),
            branch(20, EtherType.ipv6, to: ipv6, otherwise: keepChain),

            // 21, labels
            .load(BPF_B, BPF_ABS, 2),
            branch(22, 0x01 as UInt8, BPF_JSET, to: 23, otherwise: keepChain),  // more labels are kept
            .instruction(BPF_LDX | BPF_IMM, 4),
            .load(BPF_B, BPF_ABS, 4),  // the version of IP
            .instruction(BPF_ALU | BPF_AND | BPF_K, 0xf0),
            branch(26, 0x40 as UInt8, to: ipv4),
            branch(27, 0x60 as UInt8, to: ipv6, otherwise: drop),

            // 28, vlan
            .instruction(BPF_LDX | BPF_IMM, 4),
            .load(BPF_H, BPF_ABS, 2),  // the protocol of what follows
            branch(30, EtherType.ipv4, to: ipv4),
            branch(31, EtherType.ipv6, to: ipv6, otherwise: keepChain),  // another tag is kept

            // 32, ipv6
            .load(BPF_B, BPF_IND, 6),  // next header
            branch(33, tcp, to: 34, otherwise: 36),
            .load(BPF_B, BPF_IND, 40 + 13),  // flags of TCP
            .instruction(BPF_JMP | BPF_JA, UInt32(flags - 36)),
            branch(36, IPProtocol.fragment, to: 37, otherwise: 41),
            .load(BPF_H, BPF_IND, 42),  // its offset
            branch(38, 0xfff8 as UInt16, BPF_JSET, to: keepChain),  // extension headers may extend to its end
            .load(BPF_B, BPF_IND, 40),  // the next header of the fragmented packet
            branch(40, tcp, to: keepHeaders),
            branch(41, IPProtocol.hopByHop, to: keepChain),
            branch(42, IPProtocol.routing, to: keepChain),
            branch(43, IPProtocol.fragment, to: keepChain),  // a fragment of a fragment
            branch(44, IPProtocol.authentication, to: keepChain),
            branch(45, IPProtocol.destinationOptions, to: keepChain, otherwise: drop),

            // 46, ipv4
            .load(BPF_B, BPF_IND, 9),  // protocol
            branch(47, tcp, to: 48, otherwise: drop),
            .load(BPF_H, BPF_IND, 6),  // flags and fragment offset
            branch(49, 0x3fff as UInt16, BPF_JSET, to: keepHeaders),  // a fragment
            .load(BPF_B, BPF_IND, 0),  // the header's length, in units of 4 bytes
            .instruction(BPF_ALU | BPF_AND | BPF_K, 15),
            .instruction(BPF_ALU | BPF_LSH | BPF_K, 2),
            .instruction(BPF_ALU | BPF_ADD | BPF_X),
            .instruction(BPF_MISC | BPF_TAX),
            .load(BPF_B, BPF_IND, 13),  // flags of TCP

            // 56, flags
            branch(56, EstablishedData.acknowledged.rawValue, to: drop),
            branch(57, EstablishedData.pushed.rawValue, to: drop, otherwise: keepHeaders),
            // 58
            .verdict(chainLength),
            // 59
            .verdict(headerLength),
            // 60
            .verdict(0),
        ]
    }

    // Offsets of the program's parts.
    private static var pppoe: Int { 11 }
    private static var securityTag: Int { 15 }
    private static var labels: Int { 21 }
    private static var vlan: Int { 28 }
    private static var ipv6: Int { 32 }
    private static var ipv4: Int { 46 }
    static var flags: Int { 56 }
    static var keepChain: Int { 58 }
    static var keepHeaders: Int { 59 }
    private static var drop: Int { 60 }

    /// The instruction at `place`: jumps to `target` if A equals a value, otherwise to `otherwise`, or the next
    /// instruction.
    static func branch(
        _ place: Int, _ value: some FixedWidthInteger & UnsignedInteger, _ test: Int32 = BPF_JEQ, to target: Int,
        otherwise: Int? = nil
    ) -> sock_filter {
        .jump(test, UInt32(value), UInt8(target - place - 1), UInt8((otherwise ?? place + 1) - place - 1))
    }
}
