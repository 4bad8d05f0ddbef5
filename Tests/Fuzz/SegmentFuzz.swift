/// The input is one packet: what the parser says of it is compared with a slow reader that shares no code with it.
func segmentFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let packet = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    checkPacket(packet)
    checkHeader(packet)
    checkAttempt(packet)
    checkEvent(packet)
    return 0
}

/// What the parser makes of some bytes.
private enum Outcome: Equatable {
    case segment(Probe)
    case fault(PacketFault)

    init(packet: [UInt8]) {
        do throws(PacketFault) {
            self = .segment(try Probe(packet: packet.span))
        } catch {
            self = .fault(error)
        }
    }
}

private func checkPacket(_ packet: [UInt8]) {
    let outcome = Outcome(packet: packet)
    checkPlain(packet, outcome)
    guard case .segment(let segment) = outcome else {
        check(SlowReader.segment(packet) == nil, "the slow reader finds a segment where the parser says \(outcome)")
        return
    }
    let expected = SlowReader.segment(packet)
    check(segment == expected, "\(segment) where the slow reader says \(String(describing: expected))")

    for length in 0..<packet.count {
        let prefix = Outcome(packet: Array(packet.prefix(length)))
        check(prefix == outcome || prefix == .fault(.truncated), "the first \(length) bytes give \(prefix)")
    }
    if let end = SlowReader.end(packet), end < packet.count {  // the rest is padding of the link
        let padded = packet.prefix(end) + packet.dropFirst(end).map { ~$0 }
        check(Outcome(packet: Array(padded)) == outcome, "padding changes the segment")
    }
}

/// What is parsed quickly gives the same.
private func checkPlain(_ packet: [UInt8], _ outcome: Outcome) {
    do throws(PacketFault) {
        let packet = packet.span
        if try !Probe.isPlain(packet) { return }
        let probe = try Probe(plain: packet)
        check(outcome == .segment(probe), "\(probe) where the whole parser says \(outcome)")
    } catch {
        check(false, "a plain packet is not parsed: \(error)")
    }
}

/// What other kinds of scans are found by: cut off, a packet shows the same or nothing.
private func checkEvent(_ packet: [UInt8]) {
    let whole = event(packet)
    for length in 0..<packet.count {
        switch event(Array(packet.prefix(length))) {
        case .success(let part):
            check(part == nil || part?.port == (try? whole.get())?.port, "\(length) bytes show more")
        case .failure: break
        }
    }
}

private func event(_ packet: [UInt8]) -> Result<PairEvent?, PacketFault> {
    do throws(PacketFault) {
        return .success(try PairEvent.read(packet.span))
    } catch {
        return .failure(error)
    }
}

/// What is read where ports are enough, or flags, agrees with what the parser makes of the whole.
private func checkAttempt(_ packet: [UInt8]) {
    let segment = Outcome(packet: packet)
    let attempt = portsOnly(packet)
    if case .success(let attempt) = attempt { checkLine(attempt) }
    for length in 0..<packet.count {
        let prefix = portsOnly(Array(packet.prefix(length)))
        check(prefix == attempt || prefix == .failure(.truncated), "the ports of the first \(length) bytes: \(prefix)")
    }
    if case .segment(let segment) = segment {
        let expected = Attempt(
            source: segment.source, destination: segment.destination, sourcePort: segment.sourcePort,
            destinationPort: segment.destinationPort, realTime: 7)
        check(attempt == .success(expected), "\(attempt) of \(segment)")
        check(beginning(of: packet) == segment, "its beginning is another segment")
        let isAttempt = (segment.flags?.rawValue ?? 0x02) & 0x12 == 0x02
        check(Attempt(segment, realTime: 7) == (isAttempt ? expected : nil), "an attempt of \(segment)")
    } else if let cut = beginning(of: packet) {
        check(segment == .fault(.fragment) || segment == .fault(.truncated), "\(cut) of what is \(segment)")
        let ports = portsOnly(packet)
        check((try? ports.get())?.destinationPort == cut.destinationPort, "\(ports) of \(cut)")
    }
}

private func portsOnly(_ packet: [UInt8]) -> Result<Attempt, PacketFault> {
    Result { () throws(PacketFault) in try Attempt(packet: packet.span, realTime: 7) }
}

private func beginning(of packet: [UInt8]) -> Probe? {
    do throws(PacketFault) {
        return try Probe(beginningIn: packet.span)
    } catch {
        return nil
    }
}

/// Reads the bytes as a TCP header whose IP header is gone, at an offset that they choose.
private func checkHeader(_ bytes: [UInt8]) {
    let source = Address(ipv6High: 0x2001_0db8_0000_0000, low: 1)
    let destination = Address(ipv4: 0x7f00_0001)
    let offset = Int(bytes.first ?? 0) % 64
    let header = Array(bytes.dropFirst(offset))

    do throws(PacketFault) {
        let segment = try Probe(
            tcpHeader: bytes.span, at: offset,
            source: source, destination: destination, typeOfService: 0x10, timeToLive: 3)
        check(header.count >= 20, "a header of \(header.count) bytes gives a segment")
        check(segment.source == source && segment.destination == destination, "the addresses changed")
        check(segment.typeOfService == 0x10 && segment.timeToLive == 3, "the IP fields changed")
        check(Int(segment.sourcePort) == SlowReader.number(header[0..<2]), "wrong source port")
        check(Int(segment.destinationPort) == SlowReader.number(header[2..<4]), "wrong destination port")
        check(segment.flags?.rawValue == header[13], "wrong flags")
    } catch {
        check(error == (header.count < 20 ? .truncated : .malformed), "a bare header is \(error)")
        check(header.count < 20 || header[12] < 0x50, "a header of \(header) is refused")
    }
}

/// A parser written for clearness alone: it cuts the packet to its own length and then takes headers off its front.
private enum SlowReader {
    static func segment(_ packet: [UInt8]) -> Probe? {
        guard let version = packet.first.map({ $0 / 16 }) else { return nil }
        let cut = Array(packet.prefix(end(packet) ?? packet.count))
        return version == 4 ? ipv4(cut) : version == 6 ? ipv6(cut) : nil
    }

    /// Where the packet says it ends, or `nil` if it doesn't. No IPv4 packet that fits into a short Ethernet frame's 46
    /// bytes is so long that it can't say.
    static func end(_ packet: [UInt8]) -> Int? {
        guard packet.count >= 20 else { return nil }
        let isIPv4 = packet[0] / 16 == 4
        let length = isIPv4 ? number(packet[2..<4]) : number(packet[4..<6])
        if length == 0 && isIPv4 && packet.count <= 46 { return 0 }
        return length == 0 ? nil : isIPv4 ? length : length + 40
    }

    static func number(_ bytes: some Sequence<UInt8>) -> Int {
        bytes.reduce(0) { $0 * 256 + Int($1) }
    }

    private static func ipv4(_ packet: [UInt8]) -> Probe? {
        guard packet.count >= 20 else { return nil }
        let headerLength = Int(packet[0] % 16) * 4
        let isFirstFragment = number(packet[6..<8]) % 8192 == 0
        guard headerLength >= 20, isFirstFragment, packet[9] == 6 else { return nil }
        return tcp(
            packet.dropFirst(headerLength),
            source: Address(ipv4: UInt32(number(packet[12..<16]))),
            destination: Address(ipv4: UInt32(number(packet[16..<20]))),
            typeOfService: packet[1], timeToLive: packet[8])
    }

    private static func ipv6(_ packet: [UInt8]) -> Probe? {
        guard packet.count >= 40 else { return nil }
        guard let rest = afterExtensions(packet.dropFirst(40), next: packet[6]) else { return nil }
        return tcp(
            rest, source: address(packet[8..<24]), destination: address(packet[24..<40]),
            typeOfService: packet[0] % 16 * 16 + packet[1] / 16, timeToLive: packet[7])
    }

    private static func afterExtensions(
        _ rest: ArraySlice<UInt8>, next: UInt8, isFragment: Bool = false
    ) -> ArraySlice<UInt8>? {
        if next == 6 { return rest }
        let bytes = Array(rest.prefix(4))
        guard bytes.count == 4 else { return nil }
        let length: Int
        let more = bytes[3] % 2 == 1
        switch next {
        case 0, 43, 60: length = Int(bytes[1]) * 8 + 8
        case 51: length = Int(bytes[1]) * 4 + 8
        case 44 where number(bytes[2...3]) / 8 == 0 && !(more && isFragment): length = 8
        default: return nil
        }
        return afterExtensions(
            rest.dropFirst(length), next: bytes[0], isFragment: isFragment || next == 44 && more)
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> Address {
        let high = bytes.prefix(8).reduce(UInt64(0)) { $0 * 256 + UInt64($1) }
        let low = bytes.dropFirst(8).reduce(UInt64(0)) { $0 * 256 + UInt64($1) }
        return Address(ipv6High: high, low: low)
    }

    private static func tcp(
        _ rest: ArraySlice<UInt8>, source: Address, destination: Address, typeOfService: UInt8, timeToLive: UInt8
    ) -> Probe? {
        let header = Array(rest)
        guard header.count >= 20, header[12] / 16 >= 5 else { return nil }
        var probe = Probe(
            source: source, destination: destination,
            sourcePort: UInt16(number(header[0..<2])), destinationPort: UInt16(number(header[2..<4])),
            transport: .tcp(TCPFlags(rawValue: header[13])), typeOfService: typeOfService, timeToLive: timeToLive)
        let isReset = header[13] / 4 % 2 == 1
        probe.hasZeroSequence = isReset && number(header[4..<8]) == 0
        probe.hasZeroAcknowledgment = isReset && number(header[8..<12]) == 0
        return probe
    }
}
