/// What a defragmenter must say, without bounds or bits: packets by name, each a dictionary of bytes.
struct FragmentModel {
    private struct Packet {
        var begin: Int64
        var first: Piece?
        var bytes: [Int: UInt8] = [:]
    }

    private var packets: [Piece.Name: Packet] = [:]

    /// What becomes of a piece that is not the whole packet, and whether it was kept or looked at as a fragment.
    mutating func take(_ piece: Piece, at now: Int64) -> (FragmentOutcome, isFragment: Bool) {
        if piece.offset == 0 {
            let alone = SlowHeaders.read(
                [UInt8](piece.content.prefix(piece.captured)), first: piece)
            if alone != .kept { return (alone, false) }
            if piece.captured < piece.content.count { return (.fault(.truncated), false) }
        }
        return (join(piece, at: now), true)
    }

    private mutating func join(_ piece: Piece, at now: Int64) -> FragmentOutcome {
        let length = piece.moreFollow ? piece.content.count / 8 * 8 : piece.content.count
        if length == 0 || piece.offset + length > 65_535 { return .fault(.malformed) }
        if piece.captured == 0 { return .fault(.truncated) }
        if piece.offset >= (piece.name.isIPv4 ? 20 : 64) { return .fault(.fragment) }

        packets = packets.filter { name, packet in
            let (age, overflow) = now.subtractingReportingOverflow(packet.begin)
            return !overflow && (0...(name.isIPv4 ? 30_000_000_000 : 60_000_000_000)).contains(age)
        }
        var packet = packets[piece.name] ?? Packet(begin: now)
        let places = (piece.offset..<piece.offset + min(piece.captured, length)).filter { $0 < 64 }
        let new = places.filter { packet.bytes[$0] == nil }
        if new.isEmpty { return .kept }
        for place in new { packet.bytes[place] = piece.content[place - piece.offset] }
        if piece.offset == 0 && packet.first == nil { packet.first = piece }

        let outcome = Self.read(packet)
        packets[piece.name] = outcome == .kept && new.count == places.count ? packet : nil
        return outcome
    }

    private static func read(_ packet: Packet) -> FragmentOutcome {
        guard let first = packet.first else { return .kept }
        var beginning: [UInt8] = []
        while let byte = packet.bytes[beginning.count] { beginning.append(byte) }
        return SlowHeaders.read(beginning, first: first, limit: 64)  // a header that ends past it is given up
    }
}

/// Extension headers and the TCP header, read for clearness alone.
private enum SlowHeaders {
    /// What the beginning of the divided part gives; `.kept` if it is too short to tell.
    ///
    /// - Parameters:
    ///   - limit: how many bytes there can be at most.
    static func read(_ bytes: [UInt8], first: Piece, limit: Int = .max) -> FragmentOutcome {
        var next = first.next
        var offset = 0
        while true {
            let rest = [UInt8](bytes.dropFirst(offset))
            if ![0, 6, 43, 44, 51, 60].contains(next) { return .fault(.otherProtocol) }
            if rest.count < (next == 6 ? 20 : next == 44 ? 4 : 2) {
                return offset > limit - 20 ? .fault(.fragment) : .kept
            }
            switch next {
            case 6:
                return rest[12] < 0x50 ? .fault(.malformed) : .segment(segment(rest, of: first))
            case 44:
                if rest[2] != 0 || rest[3] & 0xf9 != 0 { return .fault(.malformed) }  // a fragment in a fragment
                offset += 8
            case 51:
                offset += Int(rest[1]) * 4 + 8
            default:
                offset += Int(rest[1]) * 8 + 8
            }
            next = rest[0]
        }
    }

    private static func segment(_ header: [UInt8], of first: Piece) -> Probe {
        var probe = Probe(
            source: first.source, destination: first.destination,
            sourcePort: UInt16(header[0]) * 256 + UInt16(header[1]),
            destinationPort: UInt16(header[2]) * 256 + UInt16(header[3]),
            transport: .tcp(TCPFlags(rawValue: header[13])),
            typeOfService: first.typeOfService, timeToLive: first.timeToLive)
        let isReset = header[13] / 4 % 2 == 1
        probe.hasZeroSequence = isReset && header[4..<8].allSatisfy { $0 == 0 }
        probe.hasZeroAcknowledgment = isReset && header[8..<12].allSatisfy { $0 == 0 }
        return probe
    }
}
