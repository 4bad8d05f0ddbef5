import CLinux
import ScanCore

/// The part of the program that keeps ``OtherPackets``. It stands behind the part common to all programs, which jumps
/// into it where it would otherwise drop a packet.
///
/// Programs jump forwards only, so what is shared stands last. M[0] is the offset of the IP header, M[1] the protocol.
/// Like the rest it is a hint: what it keeps is judged again.
extension RingFilter {
    /// How many bytes are kept of a packet that is not TCP: an ICMP error with the packet that it returns, as long as
    /// these get (RFC 4443, section 2.4).
    static let errorLength: UInt32 = 8 + 40 + 1280

    // Offsets of the entries, as in `body`, behind which they stand.
    /// An IPv4 packet that is not TCP: X is the offset of the IP header.
    static var otherIPv4: Int { 61 }
    /// An IPv6 packet that is not TCP, with no extension header but a fragment header: X as above.
    static var otherIPv6: Int { 73 }
    /// A TCP segment with exactly ACK, or PSH and ACK: X is the offset of the TCP header of IPv4, or of the IPv6 header.
    static var acknowledgement: Int { 88 }

    /// Makes the common part jump to the entries.
    static func enterOthers(_ body: inout InlineArray<61, sock_filter>) {
        body[45] = branch(45, IPProtocol.destinationOptions, to: keepChain, otherwise: otherIPv6)
        body[47] = branch(47, IPProtocol.tcp, to: 48, otherwise: otherIPv4)
        body[flags] = branch(flags, EstablishedData.acknowledged.rawValue, to: acknowledgement)
        body[flags + 1] = branch(
            flags + 1, EstablishedData.pushed.rawValue, to: acknowledgement, otherwise: keepHeaders)
    }

    /// Appends it behind the common part.
    mutating func appendOthers(_ packets: OtherPackets) {
        let fromIPv4 = appendOtherIPv4()
        let fromIPv6 = appendOtherIPv6()
        let fromTCP = appendAcknowledgement()
        land(fromIPv4)
        land(fromIPv6)
        let toUDP = appendTransportTest(packets)
        let fromUDP = appendDatagramTest(packets, from: toUDP)
        land(fromTCP)
        if packets.acknowledgements && packets.tcp.isComplete {
            appendPortTest(packets.tcp, below: packets.firstClientPort)
        } else {
            append(.verdict(0))
        }
        land(fromUDP)
        appendAddressTest(packets.addresses, ifOwn: RingFilter.headerLength, otherwise: 0)
    }

    /// An unconditional jump, whose target is set by ``land(_:)``. Returns its position.
    mutating func appendJump() -> Int {
        append(.instruction(BPF_JMP | BPF_JA))
        return count - 1
    }

    /// Makes a jump lead to the next instruction.
    mutating func land(_ jump: Int) { instructions[jump].k = UInt32(count - jump - 1) }

    private mutating func appendOtherIPv4() -> Int {
        append(.instruction(BPF_STX, 0))
        append(.instruction(BPF_ST, 1))
        append(.load(BPF_H, BPF_IND, 6))
        append(.jump(BPF_JSET, 0x1fff, 0, 1))
        append(.verdict(0))  // a later fragment
        append(.load(BPF_B, BPF_IND, 0))  // the header's length, in units of 4 bytes
        append(.instruction(BPF_ALU | BPF_AND | BPF_K, 15))
        append(.instruction(BPF_ALU | BPF_LSH | BPF_K, 2))
        append(.instruction(BPF_ALU | BPF_ADD | BPF_X))
        append(.instruction(BPF_MISC | BPF_TAX))
        append(.instruction(BPF_LD | BPF_MEM, 1))
        return appendJump()
    }

    private mutating func appendOtherIPv6() -> Int {
        append(.instruction(BPF_STX, 0))
        append(.load(BPF_B, BPF_IND, 6))
        append(.jump(BPF_JEQ, UInt32(IPProtocol.fragment), 0, 4))
        append(.load(BPF_B, BPF_IND, 40))
        append(.instruction(BPF_ST, 1))
        append(.instruction(BPF_MISC | BPF_TXA))
        append(.instruction(BPF_JMP | BPF_JA, 3))
        append(.instruction(BPF_ST, 1))
        append(.instruction(BPF_MISC | BPF_TXA))
        append(.instruction(BPF_JMP | BPF_JA, 1))
        append(.instruction(BPF_ALU | BPF_ADD | BPF_K, 8))  // the fragment header
        append(.instruction(BPF_ALU | BPF_ADD | BPF_K, 40))
        append(.instruction(BPF_MISC | BPF_TAX))
        append(.instruction(BPF_LD | BPF_MEM, 1))
        return appendJump()
    }

    /// Only where nothing precedes the IP header: A becomes the destination port.
    private mutating func appendAcknowledgement() -> Int {
        append(.load(BPF_W, BPF_ABS, RingFilter.beside(SKF_AD_PROTOCOL)))
        append(.jump(BPF_JEQ, UInt32(EtherType.ipv4), 2, 0))
        append(.jump(BPF_JEQ, UInt32(EtherType.ipv6), 3, 0))
        append(.verdict(0))
        append(.load(BPF_H, BPF_IND, 2))
        append(.instruction(BPF_JMP | BPF_JA, 1))
        append(.load(BPF_H, BPF_IND, 40 + 2))
        append(.instruction(BPF_LDX | BPF_IMM, 0))
        append(.instruction(BPF_STX, 0))
        return appendJump()
    }

    /// A is the protocol, X the offset of what is behind the IP header. Returns the jump of UDP.
    private mutating func appendTransportTest(_ packets: OtherPackets) -> Int {
        append(.jump(BPF_JEQ, UInt32(IPProtocol.udp), 0, 1))
        let toUDP = appendJump()

        append(.jump(BPF_JEQ, UInt32(IPProtocol.sctp), 0, 4))
        append(.load(BPF_B, BPF_IND, 12))  // the type of the first chunk
        append(.jump(BPF_JEQ, 1, 1, 0))
        append(.jump(BPF_JEQ, 10, 0, 1))
        append(.verdict(packets.associations ? RingFilter.headerLength : 0))

        appendEchoTest(packets, IPProtocol.icmp, request: 8, reply: 0, error: 3, otherError: 3)
        appendEchoTest(packets, IPProtocol.icmpv6, request: 128, reply: 129, error: 1, otherError: 4)

        append(.instruction(BPF_LD | BPF_MEM, 1))
        if packets.protocols {
            for number in UInt8.min...UInt8.max where IPProtocol.isCommon(number) {
                append(.jump(BPF_JEQ, UInt32(number), 0, 1))
                append(.verdict(0))
            }
            append(.verdict(RingFilter.headerLength))
        } else {
            append(.verdict(0))
        }
        return toUDP
    }

    /// Packets of ICMP, or ICMPv6, end here; with others A is the protocol again.
    private mutating func appendEchoTest(
        _ packets: OtherPackets, _ number: UInt8, request: UInt32, reply: UInt32, error: UInt32,
        otherError: UInt32
    ) {
        append(.instruction(BPF_LD | BPF_MEM, 1))
        append(.jump(BPF_JEQ, UInt32(number), 1, 0))
        let others = appendJump()
        append(.load(BPF_B, BPF_IND, 0))  // the type
        append(.jump(BPF_JEQ, request, 1, 0))
        append(.jump(BPF_JEQ, reply, 0, 1))
        append(.verdict(packets.echoes ? RingFilter.headerLength : 0))
        append(.jump(BPF_JEQ, error, 2, 0))
        append(.jump(BPF_JEQ, otherError, 1, 0))
        append(.verdict(0))
        if packets.errors {
            appendAddressTest(packets.addresses, ifOwn: 0, otherwise: RingFilter.errorLength)
        } else {
            append(.verdict(0))
        }
        land(others)
    }

    /// A UDP packet: X is the offset of its header. Returns the jump to what follows if its port is closed.
    private mutating func appendDatagramTest(_ packets: OtherPackets, from entry: Int) -> Int {
        land(entry)
        if !packets.datagrams || !packets.udp.isComplete {
            append(.verdict(0))
            return appendJump()
        }
        append(.load(BPF_H, BPF_IND, 2))
        append(.jump(BPF_JGE, 1024, 0, 3))
        append(.load(BPF_H, BPF_IND, 0))
        append(.jump(BPF_JGE, 1024, 1, 0))
        append(.verdict(0))  // what may be the late answer of a service
        append(.load(BPF_H, BPF_IND, 2))
        appendPortTest(packets.udp, below: packets.firstClientPort)
        return appendJump()
    }

    /// Drops a packet if A is one of some ports, or not below another.
    private mutating func appendPortTest(_ ports: FilterPorts, below end: UInt16) {
        append(.jump(BPF_JGE, UInt32(end), 0, 1))
        append(.verdict(0))
        appendSearch(ports, 0..<ports.count)
    }

    /// Drops a packet if A is one of a range of ports; a tree, so that few are compared.
    private mutating func appendSearch(_ ports: FilterPorts, _ range: Range<Int>) {
        if range.count <= 8 {
            for index in range {
                append(.jump(BPF_JEQ, UInt32(ports[index]), 0, 1))
                append(.verdict(0))
            }
            return
        }
        let middle = range.lowerBound + range.count / 2
        append(.jump(BPF_JGE, UInt32(ports[middle]), 0, 1))
        let toUpper = appendJump()
        appendSearch(ports, range.lowerBound..<middle)
        let beyond = appendJump()
        land(toUpper)
        appendSearch(ports, middle..<range.upperBound)
        land(beyond)
    }

    /// Ends the program: by whether the destination of the packet at M[0] is one of some addresses. If they are too
    /// many, any is.
    private mutating func appendAddressTest(_ addresses: FilterAddresses, ifOwn: UInt32, otherwise: UInt32) {
        if !addresses.isComplete {
            append(.verdict(max(ifOwn, otherwise)))
            return
        }
        append(.instruction(BPF_LDX | BPF_MEM, 0))
        append(.load(BPF_B, BPF_IND, 0))
        append(.instruction(BPF_ALU | BPF_AND | BPF_K, 0xf0))
        append(.jump(BPF_JEQ, 0x60, 0, 1))
        let toIPv6 = appendJump()
        append(.load(BPF_W, BPF_IND, 16))
        for index in 0..<addresses.count where addresses[index].isIPv4 {
            append(.jump(BPF_JEQ, UInt32(truncatingIfNeeded: addresses[index].low), 0, 1))
            append(.verdict(ifOwn))
        }
        append(.verdict(otherwise))
        land(toIPv6)
        for index in 0..<addresses.count where !addresses[index].isIPv4 {
            let address = addresses[index]
            appendWordTest(24, UInt32(truncatingIfNeeded: address.high >> 32), skipping: 7)
            appendWordTest(28, UInt32(truncatingIfNeeded: address.high), skipping: 5)
            appendWordTest(32, UInt32(truncatingIfNeeded: address.low >> 32), skipping: 3)
            appendWordTest(36, UInt32(truncatingIfNeeded: address.low), skipping: 1)
            append(.verdict(ifOwn))
        }
        append(.verdict(otherwise))
    }

    private mutating func appendWordTest(_ offset: UInt32, _ value: UInt32, skipping rest: UInt8) {
        append(.load(BPF_W, BPF_IND, offset))
        append(.jump(BPF_JEQ, value, 0, rest))
    }
}
