import ScanCore

/// The input is the number of a link layer and a frame: where the packet is said to begin is compared with a slow
/// reader that shares no code with it.
@c(LLVMFuzzerTestOneInput)
public func linkFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let number = bytes.first else { return 0 }
    let frame = Array(bytes.dropFirst())
    checkFrame(frame, type: Int32(number))
    checkFrame(frame, type: 276)
    checkPayload(frame)
    return 0
}

/// What is said of a frame.
private enum Outcome: Equatable {
    case offset(Int)
    case fault(PacketFault)

    init(_ read: () throws(PacketFault) -> Int) {
        do throws(PacketFault) {
            self = .offset(try read())
        } catch {
            self = .fault(error)
        }
    }
}

private func checkFrame(_ frame: [UInt8], type: Int32) {
    guard let link = LinkLayer(dataLinkType: type) else {
        check(SlowLink.offset(in: frame, type: type) == nil, "link type \(type) is not known")
        return
    }
    check(SlowLink.types.contains(type), "link type \(type) is known")
    let expected = SlowLink.offset(in: frame, type: type)
    checkPrefixes(of: frame, expected, areDecided: type != 113 && type != 276) { (bytes) throws(PacketFault) in
        try link.place(in: bytes).offset
    }
}

private func checkPayload(_ bytes: [UInt8]) {
    guard bytes.count >= 2 else { return }
    let etherType = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    checkPrefixes(of: Array(bytes.dropFirst(2)), SlowLink.offset(etherType: Array(bytes)).map { $0 - 2 }) {
        (bytes) throws(PacketFault) in try PacketPlace(etherType: etherType, in: bytes).offset
    }
}

/// Compares what is said of some bytes, and asks that fewer of them give the same or are truncated, where they decide: a
/// tag that the frame says nothing of is known by what stands behind it.
private func checkPrefixes(
    of bytes: [UInt8], _ expected: Int?, areDecided: Bool = true, _ read: (Span<UInt8>) throws(PacketFault) -> Int
) {
    let outcome = Outcome { () throws(PacketFault) in try read(bytes.span) }
    if case .offset(let offset) = outcome {
        check(offset == expected, "\(offset) where the slow reader says \(String(describing: expected))")
        check((0...bytes.count).contains(offset), "the packet begins past the frame")
    } else {
        check(expected == nil, "\(outcome) where the slow reader says \(String(describing: expected))")
    }
    for length in 0..<bytes.count {
        let prefix = Outcome { () throws(PacketFault) in try read(bytes.span.extracting(0..<length)) }
        if case .offset(let offset) = prefix {
            check(offset <= length, "the packet begins past the first \(length) bytes")
        }
        check(
            !areDecided || prefix == outcome || prefix == .fault(.truncated), "the first \(length) bytes give \(prefix)"
        )
    }
}

/// Takes headers off the front of a frame until an IP packet is left.
private enum SlowLink {
    static let types: [Int32] = [0, 1, 9, 12, 14, 50, 51, 101, 108, 113, 228, 229, 276]

    /// Where the packet begins, or `nil` if there is none.
    static func offset(in frame: [UInt8], type: Int32) -> Int? {
        packet(in: frame[...], type: type)?.startIndex
    }

    /// The same behind a type field of Ethernet.
    static func offset(etherType frame: [UInt8]) -> Int? { packet(etherType: frame[...])?.startIndex }

    private static func packet(in frame: ArraySlice<UInt8>, type: Int32) -> ArraySlice<UInt8>? {
        switch type {
        case 12, 14, 101, 228, 229: return frame
        case 1: return frame.count < 14 ? nil : packet(etherType: frame.dropFirst(12))
        case 113: return frame.count < 16 ? nil : packet(etherType: frame.dropFirst(14), isCooked: true)
        case 276:
            guard frame.count >= 20 else { return nil }
            let front = Array(frame.prefix(2)) + frame.dropFirst(20)
            guard let found = packet(etherType: front[...], isCooked: true) else { return nil }
            return frame.dropFirst(found.startIndex + 18)
        case 0, 108:
            guard frame.count >= 4 else { return nil }
            let octets = Array(frame.prefix(4))
            let families: [UInt8] = [2, 10, 24, 28, 30]
            let isBig = octets[..<3] == [0, 0, 0] && families.contains(octets[3])
            let isLittle = octets[1...] == [0, 0, 0] && families.contains(octets[0])
            return isBig || type == 0 && isLittle ? frame.dropFirst(4) : nil
        case 9, 50: return packet(pointToPoint: frame.starts(with: [0xff, 3]) ? frame.dropFirst(2) : frame)
        case 51: return packet(session: frame)
        default: return nil
        }
    }

    private static func packet(etherType frame: ArraySlice<UInt8>, isCooked: Bool = false) -> ArraySlice<UInt8>? {
        guard frame.count >= 2 else { return nil }
        let type = Array(frame.prefix(2))
        let rest = frame.dropFirst(2)
        switch (type[0], type[1]) {
        case (8, 0), (0x86, 0xdd): return isCooked ? withoutTags(rest, before: type) : rest
        case (0x81, 0), (0x88, 0xa8), (0x91, 0):
            return rest.count < 4 ? nil : packet(etherType: rest.dropFirst(2), isCooked: isCooked)
        case (0, 0) where isCooked:  // more tags than Linux counts
            return rest.count < 4 ? nil : packet(etherType: rest.dropFirst(2), isCooked: isCooked)
        case (0x88, 0x64): return packet(session: rest)
        case (0x88, 0x47), (0x88, 0x48): return packet(labels: rest)
        case (0x89, 0x09):
            guard rest.count >= 2, rest.first == 1 else { return nil }
            let length = Int(rest[rest.startIndex + 1]) * 4 + 2
            return length == 2 ? nil : packet(etherType: rest.dropFirst(length), isCooked: isCooked)
        case (0..<6, _):
            return rest.starts(with: [0xaa, 0xaa, 3, 0, 0, 0])
                ? packet(etherType: rest.dropFirst(6), isCooked: isCooked) : nil
        default: return nil
        }
    }

    /// What is left when tags are taken off that stand where a packet should begin. They lead to the packet, or to the end of
    /// what was kept.
    private static func withoutTags(_ start: ArraySlice<UInt8>, before kind: [UInt8]) -> ArraySlice<UInt8> {
        if kind == [8, 0] ? isIPv4(Array(start)) : isIPv6(Array(start)) { return start }
        let types = stride(from: 2, to: start.count, by: 4).map { Array(start.dropFirst($0).prefix(2)) }
        let tags = types.prefix { [[0x81, 0], [0x88, 0xa8], [0x91, 0]].contains($0) }.count
        // A type counts where a byte of what it stands before is there.
        let seen = (start.count - 1) / 4
        if tags >= seen { return start.dropFirst(seen * 4) }
        return types[tags] == kind ? start.dropFirst(tags * 4 + 4) : start
    }

    private static func isIPv4(_ bytes: [UInt8]) -> Bool {
        if bytes.isEmpty { return false }
        let length = Int(bytes[0] & 15) * 4
        if bytes[0] >> 4 != 4 || length < 20 || bytes.count < length { return false }
        let sum = stride(from: 0, to: length, by: 2).reduce(0) { $0 + Int(bytes[$1]) * 256 + Int(bytes[$1 + 1]) }
        return sum % 65_535 == 0
    }

    /// It ends in the frame, and at its end or where no packet that is four bytes further on would.
    private static func isIPv6(_ bytes: [UInt8]) -> Bool {
        guard let end = ipv6Length(bytes), end <= bytes.count else { return false }
        guard let other = ipv6Length(Array(bytes.dropFirst(4))) else { return true }
        return end == bytes.count || other + 4 > bytes.count
    }

    private static func ipv6Length(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 7, bytes[0] >> 4 == 6, [0, 6, 43, 44, 51, 60].contains(bytes[6]) else { return nil }
        let length = Int(bytes[4]) * 256 + Int(bytes[5])
        return length == 0 && bytes[6] != 0 ? nil : 40 + length
    }

    private static func packet(session frame: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        frame.starts(with: [0x11, 0]) && frame.count > 6 ? packet(pointToPoint: frame.dropFirst(6)) : nil
    }

    private static func packet(labels frame: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard frame.count > 4 else { return nil }
        let rest = frame.dropFirst(4)
        if frame[frame.startIndex + 2] % 2 == 0 { return packet(labels: rest) }
        return [4, 6].contains(rest[rest.startIndex] / 16) ? rest : nil
    }

    private static func packet(pointToPoint frame: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for number: [UInt8] in [[0, 0x21], [0, 0x57], [0x21], [0x57]] where frame.starts(with: number) {
            return frame.dropFirst(number.count)
        }
        for number: [UInt8] in [[2, 0x81], [2, 0x83]] where frame.starts(with: number) {
            return packet(labels: frame.dropFirst(2))
        }
        return nil
    }
}
