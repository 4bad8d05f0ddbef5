import CLinux

/// The classic BPF program of a cooked packet socket (packet(7), SOCK_DGRAM), whose packets begin behind the link header.
///
/// It keeps TCP, but for segments with exactly ACK or PSH and ACK that are no fragments: most of what a host receives,
/// and never part of a scan. What it can't judge it keeps. It is a hint only, and what it keeps is judged again.
///
/// The layout of the packet is told by the kernel beside it (socket(7), SKF_AD_PROTOCOL): IPv4 and IPv6 are looked at
/// also behind one VLAN tag that the kernel left in place, and in a PPPoE session (RFC 2516).
struct CookedFilter {
    /// How many bytes are kept of a packet whose TCP header is at a known place: PPPoE's header, the longest IPv4
    /// header (or IPv6's and a fragment header's), and the longest TCP header, which fragments may be put together to.
    static let headerLength: UInt32 = 8 + 60 + 60

    /// How many are kept of a packet with extension headers, which may go on to its end: all there can be.
    static let chainLength: UInt32 = 8 + 40 + 65_535

    /// The program, in its first ``count`` instructions. The longest has 68: it names ``InterfaceNames/most`` interfaces.
    private(set) var instructions = InlineArray<68, sock_filter>(repeating: .verdict(0))
    private(set) var count = 0

    /// Puts the program together.
    ///
    /// - Parameters:
    ///   - interfaces: the numbers of the interfaces whose packets are kept, or `nil` for all.
    ///   - direction: which way the packets go that are kept; over loopback they go both ways, one after the other.
    ///   - promiscuous: keeps frames for the link address of another host.
    ///   - interest: which segments are kept.
    init(
        interfaces: InterfaceIndexes?, direction: CaptureSelection.Direction, promiscuous: Bool,
        interest: CaptureSelection.Interest = .probes
    ) {
        append(.load(BPF_W, BPF_ABS, CookedFilter.beside(SKF_AD_PKTTYPE)))
        if !promiscuous { appendDrop(ifEqual: UInt32(PACKET_OTHERHOST)) }
        switch direction {
        case .incoming: appendDrop(ifEqual: UInt32(PACKET_OUTGOING))
        case .outgoing: appendDrop(unlessEqual: UInt32(PACKET_OUTGOING))
        case .both: break
        }
        if let interfaces { appendTest(for: interfaces) }
        var body = CookedFilter.body
        if interest == .attempts {  // SYN, and not ACK
            body[CookedFilter.flags] = .instruction(BPF_ALU | BPF_AND | BPF_K, 0x12)
            body[CookedFilter.flags + 1] = CookedFilter.branch(
                CookedFilter.flags + 1, 0x02, to: CookedFilter.keepHeaders, otherwise: CookedFilter.drop)
        }
        for index in body.indices { append(body[index]) }
    }

    private mutating func append(_ instruction: sock_filter) {
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
        append(.load(BPF_W, BPF_ABS, CookedFilter.beside(SKF_AD_IFINDEX)))
        for index in 0..<interfaces.count {
            // Over the other comparisons and the verdict behind them.
            let rest = UInt8(interfaces.count - index)
            append(.jump(BPF_JEQ, UInt32(bitPattern: interfaces[index]), rest, 0))
        }
        append(.verdict(0))
    }

    /// Where the kernel shows what it knows beside a packet: above the largest offset.
    private static func beside(_ offset: Int32) -> UInt32 { UInt32(bitPattern: SKF_AD_OFF + offset) }

    /// What is the same for all. X is where the IP header begins, then where IPv4's payload does.
    private static var body: InlineArray<45, sock_filter> {
        let tcp = UInt32(IPPROTO_TCP)
        return [
            .instruction(BPF_LDX | BPF_IMM, 0),
            .load(BPF_W, BPF_ABS, beside(SKF_AD_PROTOCOL)),
            branch(2, UInt32(ETH_P_IP), to: ipv4),
            branch(3, UInt32(ETH_P_IPV6), to: ipv6),
            branch(4, UInt32(ETH_P_8021Q), to: vlan),
            branch(5, UInt32(ETH_P_8021AD), to: vlan),
            branch(6, UInt32(ETH_P_QINQ1), to: vlan),
            branch(7, UInt32(ETH_P_PPP_SES), to: pppoe, otherwise: drop),

            // 8, pppoe
            .instruction(BPF_LDX | BPF_IMM, 8),
            .load(BPF_H, BPF_ABS, 6),  // PPP's protocol
            branch(10, 0x0021, to: ipv4),
            branch(11, 0x0057, to: ipv6, otherwise: keepChain),

            // 12, vlan
            .instruction(BPF_LDX | BPF_IMM, 4),
            .load(BPF_H, BPF_ABS, 2),  // the protocol of what follows
            branch(14, UInt32(ETH_P_IP), to: ipv4),
            branch(15, UInt32(ETH_P_IPV6), to: ipv6, otherwise: keepChain),  // another tag is kept

            // 16, ipv6
            .load(BPF_B, BPF_IND, 6),  // next header
            branch(17, tcp, to: 18, otherwise: 20),
            .load(BPF_B, BPF_IND, 40 + 13),  // flags of TCP
            .instruction(BPF_JMP | BPF_JA, UInt32(flags - 20)),
            branch(20, 44, to: 21, otherwise: 25),  // a fragment
            .load(BPF_H, BPF_IND, 42),  // its offset
            branch(22, 0xfff8, BPF_JSET, to: keepChain),  // extension headers may go on in it to its end
            .load(BPF_B, BPF_IND, 40),  // the next header of what was cut up
            branch(24, tcp, to: keepHeaders),
            branch(25, 0, to: keepChain),  // hop-by-hop options
            branch(26, 43, to: keepChain),  // routing
            branch(27, 44, to: keepChain),  // a fragment of a fragment
            branch(28, 51, to: keepChain),  // authentication
            branch(29, 60, to: keepChain, otherwise: drop),  // destination options

            // 30, ipv4
            .load(BPF_B, BPF_IND, 9),  // protocol
            branch(31, tcp, to: 32, otherwise: drop),
            .load(BPF_H, BPF_IND, 6),  // flags and fragment offset
            branch(33, 0x3fff, BPF_JSET, to: keepHeaders),  // a fragment
            .load(BPF_B, BPF_IND, 0),  // the header's length, in units of 4 bytes
            .instruction(BPF_ALU | BPF_AND | BPF_K, 15),
            .instruction(BPF_ALU | BPF_LSH | BPF_K, 2),
            .instruction(BPF_ALU | BPF_ADD | BPF_X),
            .instruction(BPF_MISC | BPF_TAX),
            .load(BPF_B, BPF_IND, 13),  // flags of TCP

            // 40, flags
            branch(40, 0x10, to: drop),  // ACK
            branch(41, 0x18, to: drop, otherwise: keepHeaders),  // PSH and ACK
            // 42
            .verdict(chainLength),
            // 43
            .verdict(headerLength),
            // 44
            .verdict(0),
        ]
    }

    // Where in the program things are.
    private static var pppoe: Int { 8 }
    private static var vlan: Int { 12 }
    private static var ipv6: Int { 16 }
    private static var ipv4: Int { 30 }
    private static var flags: Int { 40 }
    private static var keepChain: Int { 42 }
    private static var keepHeaders: Int { 43 }
    private static var drop: Int { 44 }

    /// The instruction at a place that goes to another if A equals a value, else on, or where it is said.
    private static func branch(
        _ place: Int, _ value: UInt32, _ test: Int32 = BPF_JEQ, to target: Int, otherwise: Int? = nil
    ) -> sock_filter {
        .jump(test, value, UInt8(target - place - 1), UInt8((otherwise ?? place + 1) - place - 1))
    }
}
